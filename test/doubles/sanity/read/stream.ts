import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { createGzip } from 'node:zlib'
import { untilClosed } from '../../http.ts'

/** How a body ends, and after how many bytes or lines (default: after everything). */
type Ending = { readonly afterBytes?: number; readonly afterLines?: number } & {
  /**
   * `clean`: the message ends properly, only too early. `cut`: the connection is closed without the final chunk, or short of the
   * content-length. `reset`: RST. `stall`: nothing more comes, the connection stays.
   */
  readonly how: 'clean' | 'cut' | 'reset' | 'stall'
}

/** What can be wrong with a stream; everything is optional and combines. */
export type StreamFault = {
  /** Bytes a write. Small ones are written one by one, so that they arrive one by one, also inside a UTF-8 character. */
  readonly chunkBytes?: number
  readonly chunkDelayMs?: number
  /** Silence before the headers. */
  readonly headersDelayMs?: number
  /** Silence between the headers and the first byte of the body. */
  readonly firstByteDelayMs?: number
  /** `close` is HTTP/1.0 style: the end of the connection is the end of the body, so nobody can tell a cut from an end. */
  readonly framing?: 'chunked' | 'content-length' | 'close'
  readonly ending?: Ending
  readonly bom?: boolean
  readonly lineEnd?: '\n' | '\r\n'
  readonly finalNewline?: boolean
  /** Lines put before, after, or (0-based) behind that many lines of, what the dataset holds. */
  readonly first?: readonly (Buffer | string)[]
  readonly last?: readonly (Buffer | string)[]
  readonly insert?: { readonly afterLines: number; readonly lines: readonly (Buffer | string)[] }
  /** Half of the line with this number (0-based), then the text, then the end of the body: the server gave up while it wrote. */
  readonly glue?: { readonly line: number; readonly text: string }
  /** Content-encoding gzip although identity was asked for. */
  readonly gzip?: boolean
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
}

type Lines = Iterable<Buffer> | AsyncIterable<Buffer>

/** A stream without faults is sent in pieces of this size, about what a TLS record and a proxy make of it. */
const PIECE_BYTES = 64 * 1024

/** Below this size every write waits for the loop, so that pieces are not joined on the way. */
const SMALL_BYTES = 1024

/** Sends an NDJSON answer as the export endpoint does, with faults; waits for the reader, so that it never holds the body in memory. */
export async function sendStream(response: ServerResponse, lines: Lines, fault: StreamFault): Promise<void> {
  if (fault.headersDelayMs) await setTimeout(fault.headersDelayMs)
  const total = fault.framing === 'content-length' ? await bodyBytes(lines, fault) : undefined
  response.writeHead(fault.status ?? 200, headersOf(response, fault, total))
  response.flushHeaders()
  // Small pieces would otherwise meet while the reader still looks at the headers.
  const small = (fault.chunkBytes ?? PIECE_BYTES) < SMALL_BYTES
  await setTimeout(fault.firstByteDelayMs ?? (small ? 5 : 0))
  const limit = fault.ending?.afterBytes ?? Number.POSITIVE_INFINITY
  const body = pieces(linesWithFaults(lines, fault), fault.chunkBytes ?? PIECE_BYTES)
  for await (const piece of upTo(fault.gzip ? gzipped(body) : body, limit)) {
    if (!(await write(response, piece))) return
    if (fault.chunkDelayMs) await setTimeout(fault.chunkDelayMs)
    else if (piece.length < SMALL_BYTES) await setImmediate()
  }
  await end(response, fault)
}

function headersOf(response: ServerResponse, fault: StreamFault, total: number | undefined): Record<string, string> {
  // Node then closes the connection behind the body instead of chunking it (node:http, response.removeHeader).
  if (fault.framing === 'close') response.removeHeader('transfer-encoding')
  return {
    'content-type': 'application/x-ndjson',
    ...(fault.framing === 'close' ? { connection: 'close' } : {}),
    ...(total === undefined ? {} : { 'content-length': String(total) }),
    ...(fault.gzip ? { 'content-encoding': 'gzip' } : {}),
    ...fault.headers,
  }
}

async function bodyBytes(lines: Lines, fault: StreamFault): Promise<number> {
  let total = 0
  // A cut body promises more than it brings, a clean one is just shorter.
  const promised = fault.ending?.how === 'clean' ? fault : omitEnding(fault)
  const limit = promised.ending?.afterBytes ?? Number.POSITIVE_INFINITY
  for await (const piece of upTo(pieces(linesWithFaults(lines, promised), PIECE_BYTES), limit)) total += piece.length
  return total
}

const omitEnding = ({ ending: _, ...rest }: StreamFault): StreamFault => rest

async function* linesWithFaults(lines: Lines, fault: StreamFault): AsyncGenerator<Buffer> {
  const lineEnd = Buffer.from(fault.lineEnd ?? '\n')
  const limit = fault.ending?.afterLines ?? Number.POSITIVE_INFINITY
  let count = 0
  let pending: Buffer | undefined
  for await (const line of withExtraLines(lines, fault)) {
    if (count === limit) break
    if (pending) yield pending
    const start = count === 0 && fault.bom ? Buffer.from('\ufeff') : Buffer.alloc(0)
    if (fault.glue?.line === count) {
      yield Buffer.concat([start, line.subarray(0, Math.ceil(line.length / 2)), Buffer.from(fault.glue.text)])
      return
    }
    pending = Buffer.concat([start, line, lineEnd])
    count += 1
  }
  if (!pending) return
  yield fault.finalNewline === false ? pending.subarray(0, pending.length - lineEnd.length) : pending
}

async function* withExtraLines(lines: Lines, { first = [], last = [], insert }: StreamFault): AsyncGenerator<Buffer> {
  for (const line of first) yield Buffer.from(line)
  let count = 0
  for await (const line of lines) {
    if (insert?.afterLines === count) for (const extra of insert.lines) yield Buffer.from(extra)
    yield line
    count += 1
  }
  if (insert && insert.afterLines >= count) for (const extra of insert.lines) yield Buffer.from(extra)
  for (const line of last) yield Buffer.from(line)
}

async function* pieces(parts: AsyncIterable<Buffer>, size: number): AsyncGenerator<Buffer> {
  let piece = Buffer.allocUnsafe(size)
  let filled = 0
  for await (const part of parts) {
    for (let offset = 0; offset < part.length; ) {
      const copied = part.copy(piece, filled, offset)
      offset += copied
      filled += copied
      if (filled < size) continue
      yield piece
      // The socket may still hold the last one.
      piece = Buffer.allocUnsafe(size)
      filled = 0
    }
  }
  if (filled > 0) yield piece.subarray(0, filled)
}

async function* upTo(parts: AsyncIterable<Buffer>, limit: number): AsyncGenerator<Buffer> {
  let sent = 0
  for await (const part of parts) {
    const rest = limit - sent
    if (rest <= 0) return
    yield part.subarray(0, rest)
    sent += part.length
  }
}

async function* gzipped(parts: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const gzip = createGzip()
  // A reader that leaves early ends the pipeline too, which is no failure of the double.
  const fed = pipeline(parts, gzip).catch(() => {})
  for await (const chunk of gzip) yield chunk as Buffer
  await fed
}

/** False when the reader has gone. */
async function write(response: ServerResponse, piece: Buffer): Promise<boolean> {
  if (response.destroyed || response.closed) return false
  if (response.write(piece)) return true
  const waiting = new AbortController()
  const options = { signal: waiting.signal }
  await Promise.race([once(response, 'drain', options), once(response, 'close', options)]).catch(() => {})
  waiting.abort()
  return !response.destroyed && !response.closed
}

async function end(response: ServerResponse, { ending, framing }: StreamFault): Promise<void> {
  const { socket } = response
  const how = ending?.how ?? 'clean'
  if (how === 'clean' || !socket) {
    response.end()
    return
  }
  if (how === 'stall') {
    await untilClosed(response)
    return
  }
  // What was written must have arrived before the connection goes.
  await new Promise<void>((resolve) => socket.write('', () => resolve()))
  await setTimeout(20)
  if (how === 'reset') socket.resetAndDestroy()
  else if (framing === 'close') socket.destroy()
  else socket.end()
}
