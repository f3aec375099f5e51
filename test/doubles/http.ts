import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** A request as it came over the wire. `at` is `performance.now()` when its headers had arrived, in milliseconds. */
export type RecordedRequest = {
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  readonly authorization: string | undefined
  readonly at: number
}

export type Handler = (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<void> | void

export type Loopback = AsyncDisposable & { readonly url: string; readonly port: number }

/** Starts a server on a free loopback port; disposing it destroys every socket, also those that hang. */
export async function listen(handler: Handler): Promise<Loopback> {
  const sockets = new Set<Socket>()
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1')
    Promise.resolve(handler(request, response, url)).catch((error: unknown) => fail(response, error))
  })
  // A stalled body is a fault that lasts as long as a test wants, not as long as Node's own patience.
  server.requestTimeout = 0
  server.on('connection', (socket) => {
    socket.setNoDelay(true)
    // A client that goes away in the middle is what many tests are about.
    socket.on('error', () => {})
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await new Promise<void>((resolve, reject) => server.once('listening', resolve).once('error', reject))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

export function recordRequest(request: IncomingMessage, url: URL): RecordedRequest {
  return {
    method: request.method ?? 'GET',
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: request.headers,
    rawHeaders: request.rawHeaders,
    authorization: request.headers.authorization,
    at: performance.now(),
  }
}

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** A status, headers and body to be sent as they are. An object as body is sent as JSON. */
export type Answer = {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer | object
}

export function send(response: ServerResponse, { status, headers = {}, body }: Answer): void {
  const raw = typeof body === 'string' || Buffer.isBuffer(body)
  const bytes = body === undefined ? undefined : Buffer.from(raw ? body : JSON.stringify(body))
  const type: Record<string, string> = body === undefined || raw ? {} : { 'content-type': 'application/json; charset=utf-8' }
  // RFC 9110, 8.6: an answer 204 or 304 has no content-length.
  const length: Record<string, string> = status === 204 || status === 304 ? {} : { 'content-length': String(bytes?.length ?? 0) }
  response.writeHead(status, { ...type, ...length, ...headers })
  response.end(bytes)
}

/** Resolves when the peer has gone or the double is disposed: how a server hangs. */
export async function untilClosed(response: ServerResponse): Promise<void> {
  if (response.closed || response.destroyed) return
  await new Promise<void>((resolve) => response.once('close', () => resolve()))
}

/** Counts down `skip` and then `times`, so that a fault applies to some requests and then heals. */
export type Turns = { readonly skip?: number; readonly times?: number }

export type Queue<Rule extends Turns> = {
  add(rule: Rule): void
  /** The rule that applies to this request, if any: the newest one that fits and still has turns. */
  take(fits: (rule: Rule) => boolean): Rule | undefined
  some(fits: (rule: Rule) => boolean): boolean
  clear(): void
}

export function makeQueue<Rule extends Turns>(): Queue<Rule> {
  let entries: { rule: Rule; skip: number; times: number }[] = []
  return {
    add(rule) {
      entries = [{ rule, skip: rule.skip ?? 0, times: rule.times ?? Number.POSITIVE_INFINITY }, ...entries]
    },
    take(fits) {
      for (const entry of entries) {
        if (entry.times === 0 || !fits(entry.rule)) continue
        if (entry.skip > 0) {
          entry.skip -= 1
          continue
        }
        entry.times -= 1
        return entry.rule
      }
      return undefined
    },
    some: (fits) => entries.some(({ rule }) => fits(rule)),
    clear() {
      entries = []
    },
  }
}

function fail(response: ServerResponse, error: unknown): void {
  if (response.closed || response.destroyed) return
  process.stderr.write(`A test double failed: ${Error.isError(error) ? error.stack : String(error)}\n`)
  if (response.headersSent) response.destroy()
  else send(response, { status: 500, body: 'The test double itself failed, see stderr' })
}

/** Sends pieces of 64 KiB, at the reader's pace, until it has gone; gives the number of bytes. */
export async function sendUntilGone(response: ServerResponse, pieces: number): Promise<number> {
  const gone = untilClosed(response)
  let sent = 0
  for (; sent < pieces && !response.destroyed; sent++) {
    if (!response.write(Buffer.alloc(64 * 1024, 'x'))) await Promise.race([once(response, 'drain').catch(() => undefined), gone])
  }
  response.end()
  return sent * 64 * 1024
}
