import { type FileHandle, open } from 'node:fs/promises'

/** Items that wait on disk, however many they are, to be taken in turn. */
export type DiskQueue<Item> = AsyncDisposable & {
  /** Adds items at the end. */
  readonly push: (items: readonly Item[]) => Promise<void>
  /** No more will come: the items end when all have been taken. */
  readonly end: () => void
  /** Takes the items from the front, waiting for those to come. For one reader, which may ask for several at once. */
  readonly items: () => AsyncGenerator<Item>
}

/** How far a queue has come, and what tells those who wait for more. */
type Progress = { written: number; ended: boolean; change: PromiseWithResolvers<void> }

/** Makes a {@link DiskQueue} in a file that nobody else uses. Items are what JSON can hold. */
export async function makeDiskQueue<Item>(file: string): Promise<DiskQueue<Item>> {
  const handle = await open(file, 'w+', 0o600)
  const progress: Progress = { written: 0, ended: false, change: Promise.withResolvers() }
  const tell = (): void => {
    progress.change.resolve()
    progress.change = Promise.withResolvers()
  }
  const end = (): void => {
    progress.ended = true
    tell()
  }
  return {
    push: async (items) => {
      if (items.length === 0) return
      const bytes = Buffer.from(items.map((item) => `${JSON.stringify(item)}\n`).join(''))
      await writeAt(handle, bytes, progress.written)
      progress.written += bytes.length
      tell()
    },
    end,
    items: () => readItems(handle, progress),
    [Symbol.asyncDispose]: async () => {
      end()
      await handle.close()
    },
  }
}

const pieceBytes = 64 * 1024

/** Reads the items one after the other, a piece of the file at a time. */
async function* readItems<Item>(handle: FileHandle, progress: Progress): AsyncGenerator<Item> {
  let position = 0
  let rest = Buffer.alloc(0)
  for (;;) {
    if (position === progress.written) {
      if (progress.ended) return
      await progress.change.promise
      continue
    }
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(Math.min(pieceBytes, progress.written - position)), position })
    position += bytesRead
    const bytes = Buffer.concat([rest, buffer.subarray(0, bytesRead)])
    const end = bytes.lastIndexOf(0x0a) + 1
    rest = bytes.subarray(end)
    for (const line of bytes.toString('utf8', 0, end).split('\n')) if (line !== '') yield JSON.parse(line) as Item
  }
}

async function writeAt(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten
}
