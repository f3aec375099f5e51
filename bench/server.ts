import { createReadStream } from 'node:fs'
import { createServer } from 'node:http'
import { pipeline } from 'node:stream/promises'

/** Serves one export file as Sanity would, from a process of its own: `node server.ts <file> <count>`. Prints its port. */
const [file = '', count = '0'] = process.argv.slice(2)

const server = createServer((request, response) => {
  const path = request.url ?? ''
  if (path.includes('/data/export/')) {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    // A reader that leaves early is no fault of the server's.
    pipeline(createReadStream(file, { highWaterMark: 256 * 1024 }), response).catch(() => undefined)
    return
  }
  const answer = path.includes('/acl') ? [{ filter: '_id in path("**")', permissions: ['read'] }] : { result: Number(count), ms: 1 }
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`)
})
