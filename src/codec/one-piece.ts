import { checksummer } from '../streams/digest.ts'
import type { Codec } from './codec.ts'

/**
 * Watches whether a compressed file is one gzip member, or one zstd frame, and ends with it. Decompressing does not tell: Node goes on with a second
 * one, other readers stop after the first, and neither says anything.
 */
export type OnePiece = {
  /** Shows what is stored, in order. */
  readonly stored: (bytes: Buffer) => void
  /** Shows what came out of it, in order. */
  readonly content: (bytes: Buffer) => void
  /** Says, when all was shown, what is wrong; undefined if nothing is. */
  readonly findWrong: () => string | undefined
}

export function onePiece({ extension }: Codec): OnePiece {
  return extension === 'gz' ? oneMember() : oneFrame()
}

const goesOn = 'goes on behind its end, where some readers stop'
const trailerBytes = 8

/** The last bytes of a member are the checksum and the size of its content (RFC 1952, 2.3.1): here they must be those of all that came out. */
function oneMember(): OnePiece {
  const checksum = checksummer()
  let size = 0
  let tail: Buffer = Buffer.alloc(0)
  return {
    stored: (bytes) => {
      // A copy: what comes in may be used again.
      tail = Buffer.concat([tail, bytes.subarray(-trailerBytes)]).subarray(-trailerBytes)
    },
    content: (bytes) => {
      checksum.update(bytes)
      size += bytes.length
    },
    findWrong: () => {
      const fits = tail.length === trailerBytes && tail.readUInt32LE(0) === checksum.result() && tail.readUInt32LE(4) === size % 2 ** 32
      return fits ? undefined : goesOn
    },
  }
}

function oneFrame(): OnePiece {
  const steps = walkFrame()
  let step = steps.next()
  let gathered: Buffer = Buffer.alloc(0)
  let passed = 0
  let bytesBehind = 0
  const walk = (bytes: Buffer): void => {
    let at = 0
    while (!step.done) {
      const { keep, count } = step.value
      const piece = bytes.subarray(at, at + count - passed)
      at += piece.length
      passed += piece.length
      if (keep) gathered = Buffer.concat([gathered, piece])
      if (passed < count) return
      step = steps.next(gathered)
      gathered = Buffer.alloc(0)
      passed = 0
    }
    bytesBehind += bytes.length - at
  }
  return { stored: walk, content: () => undefined, findWrong: () => (step.done && bytesBehind === 0 ? undefined : goesOn) }
}

/** Asks for the bytes of a frame one group after the other: to look at them, or to pass over them. */
type Step = { readonly keep: boolean; readonly count: number }

const keep = (count: number): Step => ({ keep: true, count })
const pass = (count: number): Step => ({ keep: false, count })

/** RFC 8878, 3.1.1: a header, blocks that say how long they are and which is the last, and a checksum. */
function* walkFrame(): Generator<Step, void, Buffer> {
  const descriptor = (yield keep(5)).readUInt8(4)
  const singleSegment = (descriptor & 0x20) !== 0
  const sizeField = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0
  yield pass((singleSegment ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] ?? 0) + sizeField)
  for (let last = false; !last; ) {
    const block = (yield keep(3)).readUIntLE(0, 3)
    last = (block & 1) === 1
    const isRepeatedByte = ((block >> 1) & 3) === 1
    yield pass(isRepeatedByte ? 1 : block >> 3)
  }
  if ((descriptor & 0x04) !== 0) yield pass(4)
}
