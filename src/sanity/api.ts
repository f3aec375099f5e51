import { BackupError } from '../errors.ts'
import { type Deadlines, guarded } from '../http/body.ts'
import { findEncoding, type Http, ignoreLateErrors } from '../http/http.ts'
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
}
type OpenOptions = {
  readonly query?: Record<string, string>
  readonly deadlines: Deadlines
  readonly version?: string
  /** What is being asked for, for the error's words: `the export of the documents`. */
  readonly what: string
  readonly cut: Cut
}

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
      ignoreLateErrors(answer)
      watchSkew(answer.headers['date'])
      if (answer.statusCode !== 200) {
        throw errorOfAnswer({ status: answer.statusCode, headers: answer.headers, body: await readShort(answer.body), source, what, url })
      }
      const encoding = findEncoding(answer.headers)
      if (encoding !== undefined) {
        answer.body.destroy()
        throw encodedError(encoding, url)
      }
      return guarded(answer.body, { deadlines, signal, stopwatch, toError: (error) => streamError(error, { url, deadlines, what, cut }) })
    },
  }
}

function encodedError(encoding: string, url: URL): BackupError {
  return new BackupError({
    code: 'sanity-unavailable',
    title: 'Something between this runner and Sanity changes the data',
    message: `The answer of ${url.host} came with the content encoding "${quoteOutside(encoding, 40)}", though none was asked for.`,
    hint: 'Look for a proxy that compresses, and let requests to Sanity pass it unchanged.',
  })
}
