import { createServer } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { demoDocuments } from '../demo/dataset.ts'

/**
 * Sends an export as Sanity would, from a process of its own: `node server.ts <bytes> <lineBytes>`. Prints its port and what it sends.
 *
 * The demo's documents are made once, up to `blockBytes`, and sent again and again, each time with fresh ids, so that a large dataset is stored
 * nowhere. No compressor here looks back that far.
 */
const [bytes = 0, lineBytes = 0] = process.argv.slice(2).map(Number)
const blockBytes = 100e6
const chunkBytes = 64 * 1024
/** About what one of the demo's documents has: with their number known, they refer to each other as in a real dataset. */
const documentBytes = 3_770

/** A chunk as it is sent, and in it the places of its lines' round numbers. */
type Chunk = { readonly bytes: Buffer; readonly places: readonly number[]; readonly documents: number }

const roundDigits = 4
const prepared = [...makeChunks(Math.min(bytes, blockBytes))]
const size = sizeOf()

const server = createServer({ highWaterMark: 1024 * 1024 }, (request, response) => {
  if (request.url?.includes('/data/export/')) {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    // A reader that leaves early is no fault of the server's.
    pipeline(chunks(), response).catch(() => undefined)
    return
  }
  const answer = request.url?.includes('/acl')
    ? [{ filter: '_id in path("**")', permissions: ['read'] }]
    : { result: size.documents, ms: 1 }
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.stdout.write(`${JSON.stringify({ port: typeof address === 'object' ? address?.port : 0, ...size })}\n`)
})

function* makeChunks(wanted: number): Generator<Chunk> {
  let left = wanted
  let lines: Buffer[] = []
  let places: number[] = []
  let used = 0
  let documents = 0
  for (const text of lineBytes > 0 ? bundles() : demoDocuments(1, Math.ceil(wanted / documentBytes))) {
    const idStart = text.indexOf('"_id":"') + 7
    const idEnd = text.indexOf('"', idStart)
    lines.push(text.subarray(0, idEnd), Buffer.from(`-${'0'.repeat(roundDigits)}`), text.subarray(idEnd), Buffer.from('\n'))
    places.push(used + idEnd + 1)
    used += text.length + 1 + roundDigits + 1
    if (!text.subarray(idStart).toString('latin1', 0, 2).startsWith('_.')) documents++
    const isLast = used >= left
    if (used < chunkBytes && !isLast) continue
    yield { bytes: Buffer.concat(lines), places, documents }
    if (isLast) return
    left -= used
    lines = []
    places = []
    used = 0
    documents = 0
  }
  if (used > 0) yield { bytes: Buffer.concat(lines), places, documents }
}

/** Documents of about `lineBytes`: the demo's as the items of a list, the last one cut to what still fits. */
function* bundles(): Generator<Buffer> {
  let items: string[] = []
  let used = 0
  let number = 0
  for (const document of demoDocuments(1, Number.MAX_SAFE_INTEGER)) {
    const text = String(document).slice(0, Math.max(1, lineBytes - used))
    items.push(text.length < document.length ? JSON.stringify(text) : text)
    used += text.length
    if (used < lineBytes) continue
    yield Buffer.from(`{"_id":"bundle-${number++}","_type":"bundle","items":[${items.join(',')}]}`)
    items = []
    used = 0
  }
}

/** All chunks, round after round, until there are enough. */
function* rounds(): Generator<{ readonly chunk: Chunk; readonly round: number }> {
  let left = bytes
  for (let round = 0; left > 0; round++) {
    for (const chunk of prepared) {
      yield { chunk, round }
      left -= chunk.bytes.length
      if (left <= 0) return
    }
  }
}

function sizeOf(): { documents: number; bytes: number } {
  const sum = { documents: 0, bytes: 0 }
  for (const { chunk } of rounds()) {
    sum.bytes += chunk.bytes.length
    sum.documents += chunk.documents
  }
  return sum
}

/** Little work for each byte: what the server takes, the contenders on the same machine lack. */
async function* chunks(): AsyncGenerator<Buffer> {
  for (const { chunk, round } of rounds()) {
    const sent = Buffer.allocUnsafeSlow(chunk.bytes.length)
    chunk.bytes.copy(sent)
    const digits = Buffer.from(String(round).padStart(roundDigits, '0'))
    for (const place of chunk.places) digits.copy(sent, place)
    yield sent
  }
}
