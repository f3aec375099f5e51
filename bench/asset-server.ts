import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { setTimeout } from 'node:timers/promises'

/**
 * Serves a dataset of asset files as Sanity and its asset host would, from a process of its own: `node asset-server.ts <files> <latencyMs>`.
 * Prints its port and the bytes of all files. They are cut out of one block, so that they are stored nowhere; one in sixteen is text.
 */
const [count = 2000, latencyMs = 30] = process.argv.slice(2).map(Number)
const sizes = { least: 10_000, most: 5_000_000 } as const

type File = {
  readonly kind: 'image' | 'file'
  readonly bytes: readonly Buffer[]
  readonly size: number
  readonly sha1: string
  readonly md5: string
}

/** The same everywhere, and nothing that a compressor could make smaller. */
const noise = createHash('shake256', { outputLength: 16_000_000 }).update('assets').digest()
/** From 0 to below 1. */
const randomAt = (place: number): number => noise.readUInt32LE(place * 4) / 2 ** 32
const text = Buffer.from('A line of text as it stands in many files, one after the other.\n'.repeat(80_000))
const files = Array.from({ length: count }, (_, index) => makeFile(index))
const byPath = new Map<string, File>()
let port = 0

const server = createServer(async (request, response) => {
  const path = new URL(request.url ?? '/', 'http://127.0.0.1').pathname
  const file = byPath.get(path)
  if (file) {
    await setTimeout(latencyMs)
    const type = file.kind === 'image' ? 'image/jpeg' : 'text/plain'
    response.writeHead(200, { 'content-type': type, 'content-length': file.size, 'x-sanity-sha1': file.sha1, 'x-sanity-md5': file.md5 })
    for (const bytes of file.bytes) response.write(bytes)
    response.end()
  } else if (path.includes('/data/export/')) {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' }).end(lines())
  } else {
    const answer = path.includes('/acl') ? [{ filter: '_id in path("**")', permissions: ['read'] }] : { result: count * 2, ms: 1 }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  }
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  port = typeof address === 'object' ? (address?.port ?? 0) : 0
  for (const file of files) byPath.set(pathOf(file), file)
  process.stdout.write(`${JSON.stringify({ port, bytes: files.reduce((sum, { size }) => sum + size, 0) })}\n`)
})

/** Sizes spread evenly over the powers between the least and the most. */
function makeFile(index: number): File {
  const size = Math.round(sizes.least * (sizes.most / sizes.least) ** randomAt(index * 2))
  const kind = index % 16 === 15 ? 'file' : 'image'
  const head = Buffer.from(`${String(index).padStart(9)}\n`)
  const from = kind === 'file' ? 0 : Math.floor(randomAt(index * 2 + 1) * (noise.length - size))
  const bytes = [head, (kind === 'file' ? text : noise).subarray(from, from + size - head.length)]
  const digest = (algorithm: string) => bytes.reduce((hash, part) => hash.update(part), createHash(algorithm)).digest('hex')
  return { kind, bytes, size, sha1: digest('sha1'), md5: digest('md5') }
}

function pathOf({ kind, sha1 }: File): string {
  return `/${kind}s/abc12345/production/${sha1}${kind === 'image' ? '-800x600.jpg' : '.txt'}`
}

function lines(): string {
  return files
    .map((file, index) => {
      const { kind, sha1, size } = file
      const id = kind === 'image' ? `image-${sha1}-800x600-jpg` : `file-${sha1}-txt`
      const asset = { _id: id, _type: `sanity.${kind}Asset`, extension: kind === 'image' ? 'jpg' : 'txt', sha1hash: sha1, size }
      const post = { _id: `post-${index}`, _type: 'post', main: { _type: kind, asset: { _ref: id, _type: 'reference' } } }
      return [{ ...asset, url: `http://127.0.0.1:${port}${pathOf(file)}` }, post].map((each) => `${JSON.stringify(each)}\n`).join('')
    })
    .join('')
}
