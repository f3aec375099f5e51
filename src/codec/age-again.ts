import { Readable } from 'node:stream'
import { makeComparison } from '../streams/comparison.ts'
import { AgeError } from './age-error.ts'
import { type FileKey, openSealed } from './age-open.ts'

/** Opens an age file while it is made; see {@link openedAgain}. */
export type OpenedAgain = {
  /** Takes a copy of a piece of what was encrypted. */
  readonly expect: (piece: Uint8Array<ArrayBuffer>) => void
  /** Takes a piece of the age file. */
  readonly found: (piece: Buffer) => void
  /** There is no more of either. */
  readonly end: () => void
  /** After `end`: whether the file held what was encrypted. If not, `fail` was called. */
  readonly isWhole: () => Promise<boolean>
}

/** Opens an age file while it is made and compares it with what was encrypted, whichever comes first. The first difference is told to `fail`. */
export function openedAgain(key: FileKey, fail: (error: Error) => void): OpenedAgain {
  const comparison = makeComparison(() => undefined)
  const pieces = new Readable({ objectMode: true, read: () => undefined })
  let expected = 0
  const compare = async () => {
    for await (const piece of openSealed(key, pieces)) comparison.found(piece)
    if (comparison.tooMuch() || comparison.bytes() !== expected) throw new AgeError('damaged')
  }
  const whole = compare().then(
    () => true,
    (error: unknown) => {
      fail(Error.isError(error) ? error : new AgeError('damaged'))
      return false
    },
  )
  return {
    expect: (piece) => {
      expected += piece.length
      try {
        comparison.expect(piece.buffer.slice(piece.byteOffset, piece.byteOffset + piece.length), piece.length)
      } catch {
        fail(new AgeError('damaged'))
      }
    },
    found: (piece) => void pieces.push(piece),
    end: () => void pieces.push(null),
    isWhole: async () => await whole,
  }
}
