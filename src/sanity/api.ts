import type { Dispatcher } from 'undici'
import { BackupError, findSystemCode, messageOf } from '../errors.ts'
import { quoteOutside } from '../text.ts'
import { errorOfAnswer } from './answers.ts'

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

/** How long the server may be silent before its first byte, and between two, in milliseconds. */
export type Deadlines = { readonly firstByteMs: number; readonly idleMs: number }

/** Sanity's own exporter waits as long: `@sanity/export` src/constants.ts. A healthy server may be silent for minutes between chunks. */
export const exportDeadlines: Deadlines = { firstByteMs: 180_000, idleMs: 180_000 }
/** Sanity ends a query after one minute: sanity.io/docs/content-lake/technical-limits. */
export const queryDeadlines: Deadlines = { firstByteMs: 75_000, idleMs: 30_000 }

/** The access list only informs: it must not keep a backup waiting. */
export const accessDeadlines: Deadlines = { firstByteMs: 15_000, idleMs: 10_000 }

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
  /** What it means when the body ends early. */
  readonly cut: 'export-truncated' | 'sanity-unavailable'
}

const defaultHostname = 'api.sanity.io'

/** Makes a {@link SanityApi} that sends `token` with each request, to the given host and nowhere else. */
export function sanityApi(
  source: Source,
  { http, token, userAgent, signal }: { http: Http; token: string; userAgent: string; signal: AbortSignal },
): SanityApi {
  const onProjectHost = source.apiHost.hostname === defaultHostname
  const base = onProjectHost ? `https://${source.projectId}.${defaultHostname}` : source.apiHost.origin
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
      const answer = await http(url, {
        headers,
        headersTimeout: deadlines.firstByteMs,
        bodyTimeout: deadlines.idleMs,
        signal,
      }).catch((error: unknown) => {
        throw signal.aborted ? signal.reason : networkError(error, url, deadlines)
      })
      // A body that is let go of says so in an event that nobody else listens to.
      answer.body.on('error', () => undefined)
      if (answer.statusCode !== 200) {
        throw errorOfAnswer({ status: answer.statusCode, headers: answer.headers, body: await readBody(answer.body), source, what, url })
      }
      const encoding = answer.headers['content-encoding'] ?? 'identity'
      if (encoding !== 'identity') {
        answer.body.destroy()
        throw encodedError(String(encoding), url)
      }
      return guarded(answer.body, { url, deadlines, signal, what, cut })
    },
  }
}

/** No error body needs to be longer to be understood. */
const errorBodyBytes = 64 * 1024
/** Nor may it keep a run waiting that has failed already. */
const errorBodyMs = 5_000

async function readBody(body: Dispatcher.ResponseData['body']): Promise<Buffer> {
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

type Body = Pick<OpenOptions, 'deadlines' | 'what' | 'cut'> & { readonly url: URL; readonly signal: AbortSignal }

async function* guarded(body: Dispatcher.ResponseData['body'], about: Body): AsyncGenerator<Buffer> {
  const { signal } = about
  const stop = () => body.destroy()
  signal.addEventListener('abort', stop, { once: true })
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) yield chunk
    signal.throwIfAborted()
  } catch (error) {
    throw signal.aborted ? signal.reason : streamError(error, about)
  } finally {
    signal.removeEventListener('abort', stop)
    body.destroy()
  }
}

const networkTries = 5

/** What the codes of Node and undici mean, in words; those of certificates are final. */
const networkFacts: Record<string, string> = {
  ENOTFOUND: 'its name is not known (DNS)',
  EAI_AGAIN: 'its name could not be looked up (DNS)',
  ECONNREFUSED: 'it refused the connection',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was reset',
  ETIMEDOUT: 'the connection timed out',
  EHOSTUNREACH: 'it cannot be reached from this runner',
  ENETUNREACH: 'the network cannot be reached from this runner',
  UND_ERR_CONNECT_TIMEOUT: 'it did not take the connection in time',
  UND_ERR_SOCKET: 'the connection was closed before an answer came',
}
const certificateCode = /^(CERT_|ERR_TLS_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_SSL_|EPROTO)/

function networkError(error: unknown, url: URL, deadlines: Deadlines): BackupError {
  const code = findSystemCode(error) ?? 'unknown'
  if (certificateCode.test(code)) {
    return new BackupError({
      code: 'sanity-unavailable',
      title: 'The connection to Sanity is not secure',
      message: `${url.host} did not show a certificate that this runner trusts (${code}).`,
      hint: 'If the runner sits behind a proxy that has its own certificate, name that certificate in NODE_EXTRA_CA_CERTS. Otherwise check `api-host`.',
      cause: error,
    })
  }
  const fact =
    code === 'UND_ERR_HEADERS_TIMEOUT'
      ? `it did not answer within ${deadlines.firstByteMs / 1000} s`
      : (networkFacts[code] ?? wordsOf(error))
  return new BackupError({
    code: 'sanity-unavailable',
    title: 'Sanity cannot be reached',
    message: `The request to ${url.host} failed: ${fact} (${code}).`,
    hint: 'Check `project-id` and `api-host`, the proxy settings of the runner, and status.sanity.io. If all is well there, run the backup again later.',
    cause: error,
    retry: { tries: networkTries },
  })
}

function streamError(error: unknown, { url, deadlines, what, cut }: Body): BackupError {
  const code = findSystemCode(error) ?? 'unknown'
  if (code === 'UND_ERR_BODY_TIMEOUT') {
    return new BackupError({
      code: 'sanity-unavailable',
      title: 'The stream from Sanity stalled',
      message: `${url.host} sent nothing for ${deadlines.idleMs / 1000} s in the middle of ${what}.`,
      hint: 'Run the backup again. If it stalls each time, see status.sanity.io and the proxy settings of the runner.',
      cause: error,
      retry: { tries: networkTries },
    })
  }
  return new BackupError({
    code: cut,
    title: 'The stream from Sanity was cut',
    message: `The connection to ${url.host} ended in the middle of ${what}: ${wordsOf(error)} (${code}).`,
    hint:
      cut === 'export-truncated'
        ? 'Run the backup again. If it is cut each time after about five minutes, the dataset is too large for one export request: limit it with `types`.'
        : 'See status.sanity.io, and run the backup again later.',
    cause: error,
    retry: { tries: networkTries },
  })
}

function encodedError(encoding: string, url: URL): BackupError {
  return new BackupError({
    code: 'sanity-unavailable',
    title: 'Something between this runner and Sanity changes the data',
    message: `The answer of ${url.host} came with the content encoding "${quoteOutside(encoding, 40)}", though none was asked for.`,
    hint: 'Look for a proxy that compresses, and let requests to Sanity pass it unchanged.',
  })
}

function wordsOf(error: unknown): string {
  return quoteOutside(messageOf(error), 200) || 'no reason was given'
}
