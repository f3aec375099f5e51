import type { Dispatcher } from 'undici'

/** One HTTP request, as undici's `request` does it: no redirect is followed, no status is an error. */
export type Http = (url: URL, options: HttpOptions) => Promise<HttpAnswer>

export type HttpOptions = {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'DELETE'
  readonly headers?: Record<string, string>
  /** What is sent. A stream is taken piece by piece, as the server takes it; its own failure is what the request then fails with. */
  readonly body?: string | Buffer | AsyncIterable<Buffer>
  /** How long the server may be silent before its answer, and between two chunks of its body, in milliseconds. */
  readonly headersTimeout?: number
  readonly bodyTimeout?: number
  readonly signal?: AbortSignal
}

/** The answer to one request. Its body is to be read or destroyed. */
export type HttpAnswer = Dispatcher.ResponseData

/** The body of an answer. */
export type HttpBody = HttpAnswer['body']

/** The content encoding of an answer in lower case; undefined if there is none. Nothing here asks for one. */
export function findEncoding(headers: HttpAnswer['headers']): string | undefined {
  const encoding = String(headers['content-encoding'] ?? 'identity').toLowerCase()
  return encoding === 'identity' ? undefined : encoding
}

/** Lets a body be destroyed without a listener of its own: the event that then tells of it would end the process. */
export function ignoreLateErrors({ body }: HttpAnswer): void {
  body.on('error', () => undefined)
}
