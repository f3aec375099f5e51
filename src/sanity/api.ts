import type { Dispatcher } from 'undici'
import { BackupError } from '../errors.ts'
import { type Cut, type Deadlines, guarded } from '../http/body.ts'
import type { Stopwatch } from '../stopwatch.ts'
import { quoteOutside } from '../text.ts'
import { skewWatch } from './clock-skew.ts'
import { errorOfAnswer } from './errors/answer.ts'
import { networkError } from './errors/network.ts'

/** Where the documents come from. `apiVersion` is without the leading `v`. */
export type Source = {
  readonly projectId: string
  readonly dataset: string
  readonly apiHost: URL
  readonly apiVersion: string
}

/** One HTTP request, as undici's `request` does it: no redirect is followed, no status is an error. */
export type Http = (url: URL, options: HttpOptions) => Promise<Dispatcher.ResponseData>
type HttpOptions = {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'DELETE'
  readonly headers?: Record<string, string>
  readonly headersTimeout?: number
  readonly bodyTimeout?: number
  readonly signal?: AbortSignal
}

/** Sanity's own exporter waits as long: `@sanity/export` src/constants.ts. A healthy server may be silent for minutes between chunks. */
export const exportDeadlines: Deadlines = { firstByteMs: 180_000, idleMs: 180_000, drip: { windowMs: 60_000, leastBytes: 6_000 } }
/** Sanity ends a query after one minute: sanity.io/docs/content-lake/technical-limits. */
export const queryDeadlines: Deadlines = { firstByteMs: 75_000, idleMs: 30_000, totalMs: 120_000 }

/** The access list only informs: it must not keep a backup waiting. */
export const accessDeadlines: Deadlines = { firstByteMs: 15_000, idleMs: 10_000, totalMs: 30_000 }

/** What it means when a short answer ends early. */
export const cutAnswer: Cut = { code: 'sanity-unavailable', hint: 'See status.sanity.io, and run the backup again later.' }

/** One way to ask Sanity's API about one source. */
export type SanityApi = {
  readonly source: Source
  /**
   * Asks once and gives the body of the 200 that came. Anything else than 200 is thrown as the {@link BackupError} that it means, as are
   * failures of the network, before the first byte and after it. `path` comes after the version; `version` replaces the source's.
   */
  readonly open: (path: string, options: OpenOptions) => Promise<AsyncIterable<Buffer>>
}
type OpenOptions = {
  readonly query?: Record<string, string>
  readonly deadlines: Deadlines
  readonly version?: string
  /** What is being asked for, for the error's words: `the export of the documents`. */
  readonly what: string
  readonly cut: Cut
}

/** Where the API is unless `api-host` says otherwise; each project has a name of its own before it. */
export const defaultHost = 'api.sanity.io'

type Means = {
  readonly http: Http
  readonly token: string
  readonly userAgent: string
  readonly signal: AbortSignal
  readonly now: () => Date
  readonly stopwatch: Pick<Stopwatch, 'during'>
  readonly log: { readonly warning: (line: string) => void }
}

/** Makes a {@link SanityApi} that sends `token` with each request, to the given host and nowhere else. */
export function sanityApi(source: Source, { http, token, userAgent, signal, now, stopwatch, log }: Means): SanityApi {
  const watchSkew = skewWatch({ now, warn: log.warning })
  const onProjectHost = source.apiHost.host === defaultHost
  const base = onProjectHost ? `https://${source.projectId}.${defaultHost}` : source.apiHost.origin
  const headers = {
    authorization: `Bearer ${token}`,
    'user-agent': userAgent,
    accept: '*/*',
    // A decoder on the way can swallow a truncation, and it is the server's bytes that are backed up.
    'accept-encoding': 'identity',
    ...(onProjectHost ? {} : { 'x-sanity-project-id': source.projectId }),
  }

  return {
    source,
    open: async (path, { query = {}, deadlines, version = source.apiVersion, what, cut }) => {
      const url = new URL(`${base}/v${version}${path}`)
      for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
      const options = { headers, headersTimeout: deadlines.firstByteMs, bodyTimeout: deadlines.idleMs, signal }
      const answer = await stopwatch
        .during('download', () => http(url, options))
        .catch((error: unknown) => {
          throw signal.aborted ? signal.reason : networkError(error, url, deadlines)
        })
      // A body that is let go of says so in an event that nobody else listens to.
      answer.body.on('error', () => undefined)
      watchSkew(answer.headers['date'])
      if (answer.statusCode !== 200) {
        throw errorOfAnswer({ status: answer.statusCode, headers: answer.headers, body: await readBody(answer.body), source, what, url })
      }
      const encoding = findEncoding(answer.headers)
      if (encoding !== undefined) {
        answer.body.destroy()
        throw encodedError(encoding, url)
      }
      return guarded(answer.body, { url, deadlines, signal, stopwatch, what, cut })
    },
  }
}

/** The content encoding of an answer, which nobody here asks for; undefined if there is none. */
export function findEncoding(headers: Dispatcher.ResponseData['headers']): string | undefined {
  const encoding = String(headers['content-encoding'] ?? 'identity').toLowerCase()
  return encoding === 'identity' ? undefined : encoding
}

/** No error body needs to be longer to be understood. */
const errorBodyBytes = 64 * 1024
/** Nor may it keep a run waiting that has failed already. */
const errorBodyMs = 5_000

/** The start of an error's body: enough to be understood. */
export async function readBody(body: Dispatcher.ResponseData['body']): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  const timer = setTimeout(() => body.destroy(), errorBodyMs)
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes >= errorBodyBytes) break
    }
  } catch {
    // The status is the news. A body that is cut short changes nothing in it.
  } finally {
    clearTimeout(timer)
  }
  return Buffer.concat(chunks).subarray(0, errorBodyBytes)
}

function encodedError(encoding: string, url: URL): BackupError {
  return new BackupError({
    code: 'sanity-unavailable',
    title: 'Something between this runner and Sanity changes the data',
    message: `The answer of ${url.host} came with the content encoding "${quoteOutside(encoding, 40)}", though none was asked for.`,
    hint: 'Look for a proxy that compresses, and let requests to Sanity pass it unchanged.',
  })
}
