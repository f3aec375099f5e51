import type { HttpBody } from './http.ts'

/** No error body needs to be longer to be understood. */
const errorBodyBytes = 64 * 1024
/** Nor may it keep a run waiting that has failed already. */
const errorBodyMs = 5_000

/**
 * Reads the start of an error's body, in five seconds at most, and at most 64 KiB unless more is asked for. Throws nothing: the status is the
 * news, and a body that is cut changes nothing in it.
 */
export async function readShort(body: HttpBody, maxBytes = errorBodyBytes): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  const timer = setTimeout(() => body.destroy(), errorBodyMs)
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes >= maxBytes) break
    }
  } catch {
    // What came before is enough.
  } finally {
    clearTimeout(timer)
  }
  return Buffer.concat(chunks).subarray(0, maxBytes)
}

/** Reads the JSON value of a short answer; undefined if it is longer than `maxBytes` or no JSON. Throws what the body throws. */
export async function readJson(body: AsyncIterable<Buffer>, maxBytes: number): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > maxBytes) return undefined
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    return undefined
  }
}
