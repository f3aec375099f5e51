import { Worker } from 'node:worker_threads'
import type { Codec } from '../../codec/codec.ts'
import { mostBlocksHeld } from '../../codec/gzip.ts'
import { BackupError, messageOf } from '../../errors.ts'
import { checksummer, type Digest, type SumDigest, sumOfHashes } from '../../streams/digest.ts'
import { countBytes } from '../../streams/memory.ts'
import { quoteOutside } from '../../text.ts'

type Sized = { readonly bytes: number; readonly digest: Digest }
/** A data file, and what it holds: its lines, each with its line feed, as one, and as a set. */
type Verified = { readonly packed: Sized; readonly content: Sized & { readonly lines: number; readonly sum: SumDigest } }

/** Watches a data file being made; see {@link startVerifier}. Ended when disposed. */
export type Verifier = AsyncDisposable & {
  /** Is shown the lines that the file is to hold, without their line feeds. */
  readonly showLines: (lines: readonly Buffer[]) => void
  /** The CRC-32 of these lines, each with its line feed. */
  readonly checksum: () => number
  /** A block to be filled. Waits until there is one whose content was unpacked again. */
  readonly block: () => Promise<Buffer<ArrayBuffer>>
  /** Takes each block, or the beginning of one, when it was packed, in their order. It is gone then. */
  readonly verify: (block: Buffer) => void
  /** Lets through what the blocks were packed into. Whoever leaves it early gets no block any more, and waits for none. */
  readonly watchPacked: (chunks: AsyncIterable<Buffer>) => AsyncGenerator<Buffer>
  /** What the file is and holds, when all of it has been shown. Throws `verification-failed` if it does not unpack to the lines. */
  readonly result: () => Promise<Verified>
}

/** Smaller blocks cost time: those who work on them wait for each other more often. Larger ones cost memory, and gain little. */
const blockBytes = 1.5 * 1024 * 1024
/** None comes back before it was packed; two more are being filled and unpacked meanwhile. */
const blockCount = mostBlocksHeld + 2

/**
 * Digests a data file and its content, and unpacks the file while it is made and compares it with that content, byte by byte: all in a thread of its
 * own, so that this one has its time for what comes in. What is digested is what was unpacked, and no other copy of it. A block goes to the thread when it was packed, and comes back when it was compared. What was
 * unpacked must also have the checksum of the lines as they came, before they were put together.
 */
export function startVerifier(decompressor: Codec['decompressor']): Verifier {
  const free = Array.from({ length: blockCount }, () => Buffer.from(new ArrayBuffer(blockBytes)))
  let asked: PromiseWithResolvers<Buffer<ArrayBuffer>> | undefined
  const expected = { bytes: 0, lines: 0 }
  const checksum = checksummer()
  let failure: unknown
  const found = Promise.withResolvers<Found>()
  // Asked for at the end; a failure until then is told to whoever asks for a block.
  found.promise.catch(() => undefined)
  const fail = (error: unknown) => {
    failure ??= error
    asked?.reject(failure)
    found.reject(failure)
  }

  // As text, so that the bundle is one file. Nothing of this process's surroundings is its business.
  const program = `(${verifyingThread})(${sumOfHashes})`
  const worker = new Worker(program, { eval: true, execArgv: [], env: {}, resourceLimits, workerData: decompressor })
  worker.on('error', (error) => fail(notVerified(error)))
  worker.on('exit', () => fail(notVerified(new Error('it ended'))))
  worker.on('message', (told: FromThread) => {
    if ('found' in told) return found.resolve(told.found)
    if ('failure' in told) return fail(differs(told.failure))
    const block = Buffer.from(told.compared)
    if (asked === undefined) return free.push(block)
    asked.resolve(block)
    asked = undefined
  })
  const send = (message: ToThread, transfer: ArrayBuffer[] = []) => worker.postMessage(message, transfer)

  return {
    showLines: (lines) => {
      expected.lines += lines.length
      for (const line of lines) {
        expected.bytes += line.length + 1
        checksum.update(line)
        checksum.update(lineFeed)
      }
    },
    checksum: checksum.result,
    block: async () => {
      if (failure !== undefined) throw failure
      const block = free.pop()
      if (block) return block
      asked = Promise.withResolvers()
      return await asked.promise
    },
    verify: ({ buffer, length }) => send({ block: buffer as ArrayBuffer, bytes: length }, [buffer as ArrayBuffer]),
    watchPacked: async function* (chunks) {
      for await (const chunk of chunks) {
        countBytes(chunk.length)
        const copy = new Uint8Array(chunk)
        send({ packed: copy }, [copy.buffer])
        let left = true
        try {
          yield chunk
          left = false
        } finally {
          // What would free the next block is not going to be shown.
          if (left) fail(new Error('the data file is not wanted any more'))
        }
      }
    },
    result: async () => {
      send('end')
      const { packed, content, checksum: unpacked } = await found.promise
      if (content.bytes !== expected.bytes || content.lines !== expected.lines) {
        throw differs(`it has ${content.lines} lines and ${content.bytes} bytes instead of ${expected.lines} and ${expected.bytes}`)
      }
      if (unpacked !== checksum.result()) throw differs('its lines are not the ones that came')
      return { packed, content }
    },
    [Symbol.asyncDispose]: async () => {
      await worker.terminate()
    },
  }
}

function differs(fact: string): BackupError {
  return new BackupError({
    code: 'verification-failed',
    title: 'The data file does not hold what was written',
    message: `The compressed documents were unpacked again and compared with what Sanity sent: ${quoteOutside(fact, 200)}. Nothing was stored.`,
    hint: 'Run the backup once more. If it happens again, the runner’s memory is not to be trusted: use another one.',
  })
}

function notVerified(error: unknown): BackupError {
  return new BackupError({
    code: 'verification-failed',
    title: 'The data file could not be verified',
    message: `The thread that unpacks the compressed documents again and compares them came to no end: ${quoteOutside(messageOf(error), 200)}. Nothing was stored.`,
    hint: 'Run the backup once more. If it happens again, the runner has too little memory: use a larger one.',
    cause: error,
  })
}

const lineFeed = Buffer.from('\n')

const resourceLimits = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 2 }

/** A block whose first bytes are content, in the order in which they were packed; a piece of the file; there is no more. */
type ToThread = { readonly block: ArrayBuffer; readonly bytes: number } | { readonly packed: Uint8Array<ArrayBuffer> } | 'end'
/** What was found, and the CRC-32 of what was unpacked. */
type Found = Verified & { readonly checksum: number }
/** A block that may be filled anew; the file is not what was shown; all of it is, and this is what it holds. */
type FromThread = { readonly compared: ArrayBuffer } | { readonly failure: string } | { readonly found: Found }

/** The thread's program. It is sent there as text: it can use nothing from outside itself. */
function verifyingThread(sumOf: typeof sumOfHashes): void {
  const { createHash, hash } = process.getBuiltinModule('node:crypto')
  const zlib = process.getBuiltinModule('node:zlib')
  const { parentPort, workerData } = process.getBuiltinModule('node:worker_threads')
  const tell = (message: FromThread, transfer: ArrayBuffer[] = []) => parentPort?.postMessage(message, transfer)

  const file = createHash('sha256')
  let fileBytes = 0
  const whole = createHash('sha256')
  const sum = sumOf()
  let bytes = 0
  let lines = 0
  /** A line that goes on in the next block. */
  let begun: ReturnType<typeof createHash> | undefined
  const digest = (block: Buffer) => {
    whole.update(block)
    bytes += block.length
    let start = 0
    for (let end = block.indexOf(0x0a); end !== -1; end = block.indexOf(0x0a, start)) {
      const line = block.subarray(start, end)
      sum.add(begun ? begun.update(line).digest('binary') : hash('sha256', line, 'binary'))
      begun = undefined
      lines++
      start = end + 1
    }
    if (start < block.length) {
      begun ??= createHash('sha256')
      begun.update(block.subarray(start))
    }
  }

  /** What was not yet compared: content, and what was unpacked. */
  const contents: { readonly block: ArrayBuffer; rest: Buffer }[] = []
  const unpacked: { readonly piece: Buffer<ArrayBuffer>; rest: Buffer }[] = []
  let compared = 0
  let checksum = 0
  const compare = () => {
    for (;;) {
      const [content] = contents
      const [found] = unpacked
      if (!content || !found) return
      const size = Math.min(content.rest.length, found.rest.length)
      if (!content.rest.subarray(0, size).equals(found.rest.subarray(0, size))) {
        return stream.destroy(new Error(`it is another one from byte ${compared} on`))
      }
      compared += size
      content.rest = content.rest.subarray(size)
      found.rest = found.rest.subarray(size)
      if (content.rest.length === 0) {
        contents.shift()
        tell({ compared: content.block }, [content.block])
      }
      if (found.rest.length === 0) {
        unpacked.shift()
        // Its memory is freed at once: the garbage collector is in no hurry.
        if (found.piece.byteOffset + found.piece.length === found.piece.buffer.byteLength) found.piece.buffer.transfer(0)
      }
    }
  }

  const stream = zlib[workerData as Codec['decompressor']]({ chunkSize: 1024 * 1024 })
  stream.on('data', (piece: Buffer<ArrayBuffer>) => {
    checksum = zlib.crc32(piece, checksum)
    unpacked.push({ piece, rest: piece })
    compare()
  })
  stream.on('error', ({ message }) => tell({ failure: message }))
  stream.on('end', () => {
    // All content has come before the file's end was told.
    if (unpacked.length > 0) return tell({ failure: `it goes on after ${bytes} bytes` })
    if (compared !== bytes) return tell({ failure: `it ends after ${compared} of ${bytes} bytes` })
    const packed = { bytes: fileBytes, digest: `sha256:${file.digest('hex')}` } as const
    const content = { bytes, lines, digest: `sha256:${whole.digest('hex')}`, sum: sum.result() } as const
    tell({ found: { packed, content, checksum } })
  })

  parentPort?.on('message', (message: ToThread) => {
    if (message === 'end') stream.end()
    else if ('packed' in message) {
      file.update(message.packed)
      fileBytes += message.packed.length
      stream.write(message.packed, () => message.packed.buffer.transfer(0))
    } else {
      const content = Buffer.from(message.block, 0, message.bytes)
      digest(content)
      contents.push({ block: message.block, rest: content })
      compare()
    }
  })
}
