import { mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { FileEntry } from '../../format/manifest/manifest.ts'
import { systemError } from '../workshop/system-error.ts'

/**
 * Writes a file of a snapshot that was fetched, at its place below a folder. No more than one byte above its size in the manifest is written: whoever
 * compares the sizes sees that there was more. Gives whether all that came was written; throws what the content throws.
 */
export async function writeFetched(
  into: string,
  { path, sizeBytes }: Pick<FileEntry, 'path' | 'sizeBytes'>,
  content: AsyncIterable<Buffer>,
): Promise<boolean> {
  const file = join(into, path)
  await onDisk(into, () => mkdir(dirname(file), { recursive: true }))
  await using handle = await onDisk(into, () => open(file, 'wx'))
  let left = sizeBytes + 1
  for await (const chunk of content) {
    const part = chunk.subarray(0, left)
    await onDisk(into, () => handle.writeFile(part))
    left -= part.length
    if (part.length < chunk.length) return false
  }
  return left >= 1
}

async function onDisk<Value>(place: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work()
  } catch (error) {
    throw (await systemError(error, place)) ?? error
  }
}
