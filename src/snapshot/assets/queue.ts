import { type FileHandle, open } from 'node:fs/promises'

/** Items that wait on disk, however many they are, for whoever takes them in turn. */
export type DiskQueue<Item> = AsyncDisposable & {
  /** Adds items at the end. */
  readonly push: (items: readonly Item[]) => Promise<void>
  /** No more will come: whoever waits for one is told when all have been taken. */
  readonly end: () => void
  /** Takes the items from the front, waiting for those to come. For one reader, which may ask for several at once. */
  readonly items: () => AsyncGenerator<Item>
}

const pieceBytes = 64 * 1024

/** Makes a {@link DiskQueue} in a file that nobody else uses. Items are what JSON can hold. */
export async function makeDiskQueue<Item>(file: string): Promise<DiskQueue<Item>> {
  const handle = await open(file, 'w+', 0o600)
  let written = 0
  let ended = false
  let change = Promise.withResolvers<void>()
  const tell = (): void => {
    change.resolve()
    change = Promise.withResolvers<void>()
  }
  return {
    push: async (items) => {
      if (items.length === 0) return
      const bytes = Buffer.from(items.map((item) => `${JSON.stringify(item)}\n`).join(''))
      await writeAt(handle, bytes, written)
      written += bytes.length
      tell()
    },
    end: () => {
      ended = true
      tell()
    },
    items: async function* () {
      let position = 0
      let rest = Buffer.alloc(0)
      for (;;) {
        if (position === written) {
          if (ended) return
          await change.promise
          continue
        }
        const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(Math.min(pieceBytes, written - position)), position })
        position += bytesRead
        const bytes = Buffer.concat([rest, buffer.subarray(0, bytesRead)])
        const end = bytes.lastIndexOf(0x0a) + 1
        rest = bytes.subarray(end)
        for (const line of bytes.toString('utf8', 0, end).split('\n')) if (line !== '') yield JSON.parse(line) as Item
      }
    },
    [Symbol.asyncDispose]: async () => {
      ended = true
      tell()
      await handle.close()
    },
  }
}

async function writeAt(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten
}
