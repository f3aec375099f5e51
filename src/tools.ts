import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ArtifactClient } from '@actions/artifact'
import { type Dispatcher, EnvHttpProxyAgent, errors, request } from 'undici'
import type { Http } from './http/http.ts'
import type { Wait } from './http/retry.ts'
import { type Stopwatch, stopwatch } from './stopwatch.ts'

/** The log of a run. Every line is made harmless, and secrets are taken out of it. */
export type Log = {
  readonly info: (line: string) => void
  readonly warning: (line: string) => void
  readonly debug: (line: string) => void
  /** How far a long step has come. Most calls show nothing, and then the line is not even made. */
  readonly progress: (line: () => string) => void
}

/** A log that folds away what others write into it meanwhile, past us: one line that can be opened. */
export type FoldingLog = Log & {
  /** Until the work is done, or until `stop`: what comes after that must be seen. */
  readonly fold: <Result>(title: string, stop: AbortSignal, work: () => Promise<Result>) => Promise<Result>
}

/** What the commands need of the world, made once. */
export type Tools = {
  readonly http: Http
  readonly artifacts: ArtifactClient
  readonly now: () => Date
  readonly wait: Wait
  readonly stopwatch: Stopwatch
  readonly log: Log
  /** Makes a short text from outside harmless for every place that it may be shown or stored in; see src/text.ts and src/redact.ts. */
  readonly clean: (text: string) => string
  /** The surroundings of this process, without secrets: for programs that are started. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Aborted when the run is cancelled; its reason is the error to end with. */
  readonly signal: AbortSignal
}

/** How long a host may take to accept a connection, in milliseconds. */
const connectMs = 15_000

/** The tools, and how to end what is still open. */
export type OpenTools = Tools & { readonly close: () => Promise<void> }

/** Makes the real tools. Proxies come from the usual environment variables (`HTTPS_PROXY`, `NO_PROXY`, …). */
export function makeTools({
  log,
  clean,
  environment,
  signal,
}: Pick<Tools, 'clean' | 'environment' | 'signal'> & { log: FoldingLog }): OpenTools {
  const dispatcher = new EnvHttpProxyAgent({ connect: { timeout: connectMs } })
  return {
    http: httpOver(dispatcher, connectMs),
    artifacts: lateArtifactClient((what, work) => log.fold(`What GitHub's artifact client says of the ${what}`, signal, work)),
    now: () => new Date(),
    stopwatch: stopwatch(),
    wait: async (ms, stop) => {
      await sleep(ms, undefined, { signal: stop }).catch((error: unknown) => {
        throw stop.aborted ? stop.reason : error
      })
    },
    log,
    clean,
    environment,
    signal,
    close: async () => await dispatcher.destroy(),
  }
}

/**
 * HTTP over this dispatcher. `headersTimeout` counts until the answer itself: undici starts again with each interim one (1xx), of which there may
 * come any number.
 */
export function httpOver(dispatcher: Dispatcher, connectTimeoutMs: number): Http {
  return async (url, { signal, body, ...rest }) => {
    const { headersTimeout } = rest
    const options = body === undefined ? rest : { ...rest, body: typeof body === 'string' || Buffer.isBuffer(body) ? body : bytesOf(body) }
    if (headersTimeout === undefined) return await request(url, { ...options, ...(signal ? { signal } : {}), dispatcher })
    const overdue = new AbortController()
    const timer = setTimeout(() => overdue.abort(new errors.HeadersTimeoutError()), connectTimeoutMs + headersTimeout)
    try {
      const either = signal ? AbortSignal.any([signal, overdue.signal]) : overdue.signal
      return await request(url, { ...options, signal: either, dispatcher })
    } finally {
      clearTimeout(timer)
    }
  }
}

/** A body as undici takes it: only so is it closed whatever becomes of the request. */
function bytesOf(body: AsyncIterable<Buffer>): Readable {
  return Readable.from(body, { objectMode: false })
}

/** The artifact client, loaded when it is first needed: it takes half a second and much memory, which the export can do without. It writes into the log by itself. */
function lateArtifactClient(fold: <Result>(what: string, work: () => Promise<Result>) => Promise<Result>): ArtifactClient {
  let loading: Promise<ArtifactClient> | undefined
  const client = async () => {
    loading ??= import(/* webpackMode: "eager" */ '@actions/artifact').then(({ DefaultArtifactClient }) => new DefaultArtifactClient())
    return await loading
  }
  return {
    uploadArtifact: async (...what) => await fold('upload', async () => await (await client()).uploadArtifact(...what)),
    listArtifacts: async (...what) => await (await client()).listArtifacts(...what),
    getArtifact: async (...what) => await (await client()).getArtifact(...what),
    downloadArtifact: async (...what) => await fold('download', async () => await (await client()).downloadArtifact(...what)),
    deleteArtifact: async (...what) => await (await client()).deleteArtifact(...what),
  }
}
