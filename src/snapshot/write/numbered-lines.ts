import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { diskFull, isDiskFull } from '../workshop/room.ts'

/** Lines of documents on this disk, each to be read by its number, in whatever order. Disposing closes the file. */
export type LineStore = AsyncDisposable & {
  /** Gives the line of a number. Throws if there is none. */
  readonly get: (number: number) => Promise<Buffer>
}

/** A line, and its number. */
export type NumberedLine = { readonly number: number; readonly line: Buffer }

/** So many bytes wait in memory to be written together. */
const waitingBytes = 1024 * 1024

/** Writes lines with numbers below `size` into a new file. Throws `disk-full`, and what the lines throw. */
export async function storeLines(file: string, size: number, batches: AsyncIterable<readonly NumberedLine[]>): Promise<LineStore> {
  const handle = await open(file, 'wx+', 0o600)
  try {
    const places = await writeLines(handle, size, batches)
    return { get: async (number) => await readLine(handle, places.of(number)), [Symbol.asyncDispose]: async () => await handle.close() }
  } catch (error) {
    await handle.close()
    throw isDiskFull(error) ? await diskFull(error, dirname(file)) : error
  }
}

type Place = { readonly start: number; readonly bytes: number }

async function writeLines(handle: FileHandle, size: number, batches: AsyncIterable<readonly NumberedLine[]>) {
  const starts = new Float64Array(size).fill(-1)
  const lengths = new Int32Array(size)
  let waiting: Buffer[] = []
  let end = 0
  let written = 0
  for await (const batch of batches) {
    for (const { number, line } of batch) {
      starts[number] = end
      lengths[number] = line.length
      end += line.length
      // What comes is a view of a larger piece, which is used again.
      waiting.push(Buffer.from(line))
    }
    if (end - written < waitingBytes) continue
    await write(handle, Buffer.concat(waiting), written)
    written = end
    waiting = []
  }
  await write(handle, Buffer.concat(waiting), written)
  const of = (number: number): Place => ({ start: starts[number] ?? -1, bytes: lengths[number] ?? 0 })
  return { of }
}

async function readLine(handle: FileHandle, { start, bytes }: Place): Promise<Buffer> {
  if (start < 0) throw new Error('there is no line of this number')
  const line = Buffer.allocUnsafe(bytes)
  let read = 0
  while (read < bytes) {
    const { bytesRead } = await handle.read(line, read, bytes - read, start + read)
    if (bytesRead === 0) throw new Error('the file with the lines ends early')
    read += bytesRead
  }
  return line
}

async function write(handle: FileHandle, bytes: Buffer, at: number): Promise<void> {
  let written = 0
  while (written < bytes.length) written += (await handle.write(bytes, written, bytes.length - written, at + written)).bytesWritten
}
