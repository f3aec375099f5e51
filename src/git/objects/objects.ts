import { createHash, hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { Git } from '../command.ts'

/** One entry of a folder in git. Paths are bytes, one a character (latin1): git knows no encoding. */
export type Entry = {
  readonly mode: string
  readonly type: string
  readonly name: string
  readonly path: string
  readonly sizeBytes?: number
}

/** An ordinary file. */
export const fileMode = '100644'

/** The name that git gives to content: docs at git-scm.com/book, "Git Internals - Git Objects". */
export function objectName(type: 'blob' | 'tree' | 'commit', content: Buffer): string {
  return hash('sha1', Buffer.concat([Buffer.from(`${type} ${content.length}\0`), content]), 'hex')
}

/** The name that git gives to a part of a file. */
export async function blobNameOf(file: string, { start, end }: { readonly start: number; readonly end: number }): Promise<string> {
  const sha1 = createHash('sha1').update(`blob ${end - start}\0`)
  for await (const chunk of bytesOf(file, { start, end })) sha1.update(chunk)
  return sha1.digest('hex')
}

/** The bytes of a part of a file. */
export async function* bytesOf(file: string, { start, end }: { readonly start: number; readonly end: number }): AsyncGenerator<Buffer> {
  if (end > start) yield* createReadStream(file, { start, end: end - 1, highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>
}

/** Gives those of the given paths that a commit holds. */
export async function entriesAt(git: Git, commit: string, paths: readonly string[]): Promise<Entry[]> {
  const listing = await git.run(['ls-tree', '-z', '--full-tree', commit, '--', ...paths])
  return records(listing).map(entryIn)
}

/** Gives the entries of one folder: of a tree, or of `<commit>:<path>`. */
export async function entriesIn(git: Git, tree: string): Promise<Entry[]> {
  return records(await git.run(['ls-tree', '-z', '--full-tree', tree])).map(entryIn)
}

/** Lists all files below a tree, in git's order; with their sizes only where they are at hand. */
export async function* filesBelow(git: Git, tree: string, { sizes = false } = {}): AsyncGenerator<Entry> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of git.read(['ls-tree', '-r', ...(sizes ? ['-l'] : []), '-z', '--full-tree', tree])) {
    const whole = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
    const end = whole.lastIndexOf(0) + 1
    for (const record of records(whole.subarray(0, end))) yield entryIn(record)
    rest = Buffer.from(whole.subarray(end))
  }
}

function records(listing: Buffer): string[] {
  return listing
    .toString('latin1')
    .split('\0')
    .filter((record) => record !== '')
}

function entryIn(record: string): Entry {
  const tab = record.indexOf('\t')
  const [mode = '', type = '', name = '', size = ''] = record.slice(0, tab).split(/ +/)
  return { mode, type, name, path: record.slice(tab + 1), ...(/^\d+$/.test(size) ? { sizeBytes: Number(size) } : {}) }
}

/** How many objects are asked for before the first has been read. */
const ahead = 64

/** Reads objects one after the other, in the order of their names. Throws if one is missing. */
export async function* readObjects(git: Git, names: AsyncIterable<string>): AsyncGenerator<Buffer> {
  const source = boundedNames(names)
  const reader = chunkReader(git.read(['cat-file', '--batch'], { input: source.lines }))
  try {
    for (;;) {
      const header = await reader.line()
      if (header === undefined) return
      const [, , size] = header.split(' ')
      if (size === undefined) throw new Error(`git does not have an object: ${header}`)
      const content = await reader.take(Number(size) + 1)
      source.free()
      yield content.subarray(0, -1)
    }
  } finally {
    await reader.close()
  }
}

/** Lines for git that never run far ahead of what was read: neither side may wait for the other with its pipe full. */
function boundedNames(names: AsyncIterable<string>): { readonly lines: AsyncGenerator<Buffer>; readonly free: () => void } {
  let open = ahead
  let wake: (() => void) | undefined
  return {
    free: () => {
      open++
      wake?.()
    },
    lines: (async function* () {
      let batch = ''
      let count = 0
      for await (const name of names) {
        while (open <= 0) {
          if (count > 0) {
            yield Buffer.from(batch)
            batch = ''
            count = 0
            continue
          }
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
        open--
        batch += `${name}\n`
        if (++count === ahead / 2) {
          yield Buffer.from(batch)
          batch = ''
          count = 0
        }
      }
      if (count > 0) yield Buffer.from(batch)
    })(),
  }
}

function chunkReader(chunks: AsyncGenerator<Buffer>) {
  let pending: Buffer = Buffer.alloc(0)
  const more = async (): Promise<boolean> => {
    const { done, value } = await chunks.next()
    if (done) return false
    pending = pending.length > 0 ? Buffer.concat([pending, value]) : value
    return true
  }
  return {
    line: async (): Promise<string | undefined> => {
      let end = pending.indexOf(0x0a)
      while (end === -1) {
        if (!(await more())) return undefined
        end = pending.indexOf(0x0a)
      }
      const line = pending.toString('latin1', 0, end)
      pending = pending.subarray(end + 1)
      return line
    },
    take: async (bytes: number): Promise<Buffer> => {
      const parts: Buffer[] = []
      let missing = bytes
      for (;;) {
        const part = pending.subarray(0, missing)
        parts.push(part)
        missing -= part.length
        pending = pending.subarray(part.length)
        if (missing === 0) return parts.length === 1 ? part : Buffer.concat(parts)
        if (!(await more())) throw new Error('git ended in the middle of an object')
      }
    },
    close: async () => await chunks.return(undefined),
  }
}
