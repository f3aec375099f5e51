import { request as forward, type IncomingMessage, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import {
  type Answer,
  type Handler,
  makeQueue,
  type RecordedRequest,
  readBody,
  recordRequest,
  send,
  type Turns,
  untilClosed,
} from '../http.ts'

/** What the blob host does instead of, or to, its answer. `on`: blocks and block lists of an upload, or a download. */
export type BlobFault = Turns & {
  readonly on: 'upload' | 'download'
  /** `cut`: the connection closes after so many bytes of the body (of the request, of the answer). `stall`: nothing moves any more after them. */
  readonly connection?: 'cut' | 'stall'
  readonly afterBytes?: number
  readonly answer?: Answer
  /** The bytes as they are stored or delivered; of an upload, of each block. */
  readonly change?: (bytes: Buffer) => Buffer
  readonly delayMs?: number
  /** Only blobs of this run's artifacts. */
  readonly run?: string
}

export type BlobProxy = {
  readonly handler: Handler
  readonly requests: readonly RecordedRequest[]
  fault(fault: BlobFault): void
  reset(): void
}

/** One byte in the middle is another one. */
export const flipByte = (bytes: Buffer): Buffer => {
  const changed = Buffer.from(bytes)
  const at = Math.floor(bytes.length / 2)
  changed[at] = (changed[at] ?? 0) ^ 0x01
  return changed
}

export const truncate = (bytes: Buffer): Buffer => bytes.subarray(0, Math.floor(bytes.length / 2))

/** What @actions/artifact stores when its source vanished: a zip of 22 bytes that holds nothing. */
export const emptyZip = (): Buffer => Buffer.from(`504b0506${'00'.repeat(18)}`, 'hex')

/** Stands in front of the blob service, so that its connections can break and its bytes can change. */
export function makeBlobProxy(target: { readonly port: number; readonly findRun: (path: string) => string | undefined }): BlobProxy {
  const faults = makeQueue<BlobFault>()
  let requests: RecordedRequest[] = []
  return {
    get requests() {
      return requests
    },
    fault: (fault) => faults.add(fault),
    reset() {
      faults.clear()
      requests = []
    },
    async handler(request, response, url) {
      requests.push(recordRequest(request, url))
      const on = request.method === 'GET' ? 'download' : 'upload'
      const run = target.findRun(url.pathname)
      const fault = faults.take(
        (rule) => rule.on === on && (rule.run ?? run) === run && (!rule.change || url.searchParams.get('comp') !== 'blocklist'),
      )
      if (fault?.delayMs) await new Promise((resolve) => setTimeout(resolve, fault.delayMs))
      if (fault?.answer) {
        await readBody(request)
        return send(response, fault.answer)
      }
      if (fault?.connection && on === 'upload') return await breakUpload(request, response, fault)
      await relay(request, response, { port: target.port, fault })
    },
  }
}

async function breakUpload(request: IncomingMessage, response: ServerResponse, { afterBytes = 0, connection }: BlobFault): Promise<void> {
  let received = 0
  if (afterBytes > 0) {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      received += (chunk as Buffer).length
      if (received >= afterBytes) break
    }
  }
  if (connection === 'cut') response.socket?.resetAndDestroy()
  else await untilClosed(response)
}

async function relay(
  request: IncomingMessage,
  response: ServerResponse,
  { port, fault }: { port: number; fault: BlobFault | undefined },
): Promise<void> {
  const changed = fault?.on === 'upload' && fault.change ? fault.change(await readBody(request)) : undefined
  const headers = changed ? { ...request.headers, 'content-length': String(changed.length) } : request.headers
  const upstream = forward({ host: '127.0.0.1', port, method: request.method ?? 'GET', path: request.url ?? '/', headers, agent: false })
  const answered = new Promise<IncomingMessage>((resolve, reject) => upstream.once('response', resolve).on('error', reject))
  // A client that is killed while it sends ends the request first.
  answered.catch(() => undefined)
  if (changed) upstream.end(changed)
  else await pipeline(request, upstream)
  const answer = await answered
  if (fault?.on === 'download' && (fault.change || fault.connection)) return await changeDownload(answer, response, fault)
  response.writeHead(answer.statusCode ?? 502, answer.headers)
  // A client that goes away in the middle is its own affair.
  await pipeline(answer, response).catch(() => {})
}

async function changeDownload(answer: IncomingMessage, response: ServerResponse, fault: BlobFault): Promise<void> {
  const original = await readBody(answer)
  const bytes = fault.change?.(original) ?? original
  const { 'content-md5': _, ...headers } = answer.headers
  response.writeHead(answer.statusCode ?? 502, { ...headers, 'content-length': String(bytes.length) })
  if (!fault.connection) {
    response.end(bytes)
    return
  }
  await new Promise<void>((resolve) => response.write(bytes.subarray(0, fault.afterBytes ?? Math.floor(bytes.length / 2)), () => resolve()))
  if (fault.connection === 'cut') response.socket?.destroy()
  else await untilClosed(response)
}
