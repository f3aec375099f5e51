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

type Line = { readonly bytes: Buffer; readonly idEnd: number; readonly isSystem: boolean }

const lines = makeLines(Math.min(bytes, blockBytes))
const size = sizeOf()

const server = createServer((request, response) => {
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

function makeLines(wanted: number): Line[] {
  const made: Line[] = []
  let total = 0
  for (const text of lineBytes > 0 ? bundles() : demoDocuments(1, Math.ceil(wanted / documentBytes))) {
    const line = Buffer.concat([text, Buffer.from('\n')])
    const idStart = line.indexOf('"_id":"') + 7
    made.push({ bytes: line, idEnd: line.indexOf('"', idStart), isSystem: line.subarray(idStart, idStart + 2).equals(Buffer.from('_.')) })
    total += line.length
    if (total >= wanted) break
  }
  return made
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

/** All lines, round after round, each with the place for its fresh id, until there are enough. */
function* rounds(): Generator<{ readonly line: Line; readonly suffix: Buffer }> {
  let left = bytes
  for (let round = 0; left > 0; round++) {
    const suffix = Buffer.from(round === 0 ? '' : `-${round}`)
    for (const line of lines) {
      yield { line, suffix }
      left -= line.bytes.length + suffix.length
      if (left <= 0) return
    }
  }
}

function sizeOf(): { documents: number; bytes: number } {
  const sum = { documents: 0, bytes: 0 }
  for (const { line, suffix } of rounds()) {
    sum.bytes += line.bytes.length + suffix.length
    if (!line.isSystem) sum.documents++
  }
  return sum
}

async function* chunks(): AsyncGenerator<Buffer> {
  let parts: Buffer[] = []
  let used = 0
  for (const { line, suffix } of rounds()) {
    parts.push(line.bytes.subarray(0, line.idEnd), suffix, line.bytes.subarray(line.idEnd))
    used += line.bytes.length
    if (used < chunkBytes) continue
    yield Buffer.concat(parts)
    parts = []
    used = 0
  }
  yield Buffer.concat(parts)
}
