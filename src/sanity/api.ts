import { BackupError } from '../errors.ts'
import { type Deadlines, guarded } from '../http/body.ts'
import { findEncoding, type Http, type HttpAnswer, type HttpOptions, ignoreLateErrors } from '../http/http.ts'
import { readShort } from '../http/short-answer.ts'
import type { Stopwatch } from '../stopwatch.ts'
import { quoteOutside } from '../text.ts'
import { skewWatch } from './clock-skew.ts'
import { errorOfAnswer } from './errors/answer.ts'
import { type Cut, networkError, streamError } from './errors/network.ts'
import { defaultHost, type Source } from './source.ts'

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
  /**
   * Sends a body once (`POST`) and gives the answer that came, of whatever status, read to its end: what a refusal means is for the sender to say.
   * Throws failures of the network as a {@link BackupError}: whether what was sent was carried out is unknown then.
   */
  readonly send: (path: string, options: SendOptions) => Promise<SentAnswer>
}

/** What came in answer to what was sent. The body is cut after 4 MiB. */
export type SentAnswer = {
  readonly status: number
  readonly headers: HttpAnswer['headers']
  readonly body: Buffer
  readonly url: URL
}

type SendOptions = {
  readonly query?: Record<string, string>
  readonly body: Buffer | AsyncIterable<Buffer>
  readonly sizeBytes: number
  /** Left out where Sanity is to find out by itself. */
  readonly contentType?: string
  /** `firstByteMs`: until the answer begins, sending included. */
  readonly deadlines: Deadlines
  /** In the place of the API's own. */
  readonly signal?: AbortSignal
  readonly what: string
  readonly cut: Cut
}

type OpenOptions = {
  readonly query?: Record<string, string>
  readonly deadlines: Deadlines
  readonly version?: string
  /** What is being asked for, for the error's words: `the export of the documents`. */
  readonly what: string
  readonly cut: Cut
}

type SanityApiNeeds = {
  readonly http: Http
  readonly token: string
  readonly userAgent: string
  readonly signal: AbortSignal
  readonly now: () => Date
  readonly stopwatch: Pick<Stopwatch, 'during'>
  readonly log: { readonly warning: (line: string) => void }
}

/** Makes a {@link SanityApi} that sends `token` with each request, to the given host and nowhere else. */
export function sanityApi(source: Source, needs: SanityApiNeeds): SanityApi {
  const { signal, stopwatch } = needs
  const { headers, urlOf, request } = requester(source, needs)
  return {
    source,
    open: async (path, { query = {}, deadlines, version, what, cut }) => {
      const url = urlOf(path, query, version)
      const answer = await stopwatch.during('download', async () => await request(url, { headers, deadlines, stop: signal }))
      if (answer.statusCode !== 200) {
        throw errorOfAnswer({ status: answer.statusCode, headers: answer.headers, body: await readShort(answer.body), source, what, url })
      }
      refuseEncoded(answer, url)
      return guarded(answer.body, { deadlines, signal, stopwatch, toError: (error) => streamError(error, { url, deadlines, what, cut }) })
    },
    send: async (path, { query = {}, body, sizeBytes, contentType, deadlines, signal: stop = signal, what, cut }) => {
      const url = urlOf(path, query)
      const described = { 'content-length': String(sizeBytes), ...(contentType === undefined ? {} : { 'content-type': contentType }) }
      const answer = await request(url, { method: 'POST', headers: { ...headers, ...described }, body, deadlines, stop })
      const { statusCode: status, headers: answered } = answer
      if (status !== 200) return { status, headers: answered, body: await readShort(answer.body, maxSentAnswerBytes), url }
      refuseEncoded(answer, url)
      const toError = (error: unknown) => streamError(error, { url, deadlines, what, cut })
      const pieces = guarded(answer.body, { deadlines, signal: stop, stopwatch: noStopwatch, toError })
      return { status, headers: answered, body: await startOf(pieces, maxSentAnswerBytes), url }
    },
  }
}

/** What all requests have in common: the address, the headers, and what a failure before the answer means. */
function requester(source: Source, { http, token, userAgent, now, log }: SanityApiNeeds) {
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
  const urlOf = (path: string, query: Record<string, string>, version = source.apiVersion): URL => {
    const url = new URL(`${base}/v${version}${path}`)
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
    return url
  }
  const request = async (url: URL, { deadlines, stop, ...options }: RequestOptions): Promise<HttpAnswer> => {
    const timed = { ...options, headersTimeout: deadlines.firstByteMs, bodyTimeout: deadlines.idleMs, signal: stop }
    const answer = await http(url, timed).catch((error: unknown) => {
      throw stop.aborted ? stop.reason : networkError(error, url, deadlines)
    })
    ignoreLateErrors(answer)
    watchSkew(answer.headers['date'])
    return answer
  }
  return { headers, urlOf, request }
}

type RequestOptions = Pick<HttpOptions, 'method' | 'headers' | 'body'> & { readonly deadlines: Deadlines; readonly stop: AbortSignal }

/** An answer names every document of a transaction, and a refusal says some hundred bytes on each. */
const maxSentAnswerBytes = 4 * 1024 * 1024

/** Writes come many at a time, so the waits for each of them do not add up to how long the run waited. */
const noStopwatch: Pick<Stopwatch, 'during'> = { during: async (_, work) => await work() }

async function startOf(pieces: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer> {
  const taken: Buffer[] = []
  let bytes = 0
  for await (const piece of pieces) {
    taken.push(piece)
    bytes += piece.length
    if (bytes >= maxBytes) break
  }
  return Buffer.concat(taken).subarray(0, maxBytes)
}

/** Whoever encodes what was not asked for can swallow a truncation too. */
function refuseEncoded({ headers, body }: HttpAnswer, url: URL): void {
  const encoding = findEncoding(headers)
  if (encoding === undefined) return
  body.destroy()
  throw encodedError(encoding, url)
}

function encodedError(encoding: string, url: URL): BackupError {
  return new BackupError({
    code: 'sanity-unavailable',
    title: 'Something between this runner and Sanity changes the data',
    message: `The answer of ${url.host} came with the content encoding "${quoteOutside(encoding, 40)}", though none was asked for.`,
    hint: 'Look for a proxy that compresses, and let requests to Sanity pass it unchanged.',
  })
}
