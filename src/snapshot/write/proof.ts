import type { FileKey } from '../../codec/age-open.ts'
import { type Compression, mostBlocksHeld } from '../../codec/codec.ts'
import { BackupError, messageOf } from '../../errors.ts'
import { checksummer } from '../../streams/digest.ts'
import { quoteOutside } from '../../text.ts'
import type { Found, FromProof, ToProof, ToProve } from '../../threads/prove-data.ts'
import { startThread } from '../../threads/start.ts'

/** Proves a data file while it is made; see {@link startProof}. Ended when disposed. */
export type Proof = AsyncDisposable & {
  /** Takes the lines that the file is to hold, without their line feeds. */
  readonly expectLines: (lines: readonly Buffer[]) => void
  /** The CRC-32 of these lines, each with its line feed. */
  readonly checksum: () => number
  /** A block to be filled. Waits until there is one whose content was compared. Throws `verification-failed`. */
  readonly block: () => Promise<Buffer<ArrayBuffer>>
  /** Takes each block, or the beginning of one, once it was packed, in order, and compares it. Its memory must not be touched any more. */
  readonly compare: (block: Buffer) => void
  /** Lets the packed file through and unpacks it on the way. Stop reading early and `block()` rejects. */
  readonly unpackAlong: (chunks: AsyncIterable<Buffer>) => AsyncGenerator<Buffer>
  /** Lets what became of the packed file by encryption through, opens it on the way and compares it with the packed file. Needs a key. */
  readonly openAlong: (chunks: AsyncIterable<Buffer>) => AsyncGenerator<Buffer>
  /** What the file is and holds, once all has gone by. Throws `verification-failed` if it does not unpack to the lines. */
  readonly result: () => Promise<Pick<Found, 'stored' | 'content'>>
}

/** In bytes. Smaller blocks cost time: packing and unpacking wait for each other more often. Larger ones cost memory, and gain little. */
const blockBytes = 1.5 * 1024 * 1024
/** None comes back before it was packed; two more are being filled and compared meanwhile. */
const blockCount = mostBlocksHeld + 2

/**
 * Digests a data file and its content, unpacks the file while it is made and compares it with that content, byte by byte: all in another thread, so
 * that this one stays free for what comes in. A block goes to the thread once it was packed, and comes back once it was compared. The digests are
 * of the very bytes that were unpacked and compared. What was unpacked must also have the checksum of the lines as they came, before they were put
 * together into blocks. With a key the file is encrypted, and `openAlong` takes part: what is opened again must be what was packed. It is a second
 * step, since what encryption holds back may be more content than there are blocks.
 */
export function startProof(compression: Compression, key?: FileKey): Proof {
  const expected = expectedLines()
  const blocks = circulatingBlocks()
  const found = Promise.withResolvers<Found>()
  // It is awaited at the end; a failure before that reaches the next `block()`.
  found.promise.catch(() => undefined)
  const fail = (error: unknown) => {
    blocks.fail(error)
    found.reject(error)
  }

  const thread = startThread('prove-data', { compression, key } satisfies ToProve)
  thread.on('error', (error) => fail(notVerified(error)))
  thread.on('exit', () => fail(notVerified(new Error('it ended'))))
  thread.on('message', (message: FromProof) => {
    if ('found' in message) found.resolve(message.found)
    else if ('failure' in message) fail(differs(message.failure))
    else blocks.giveBack(Buffer.from(message.compared))
  })
  const send = (message: ToProof, transfer: ArrayBuffer[] = []) => thread.postMessage(message, transfer)

  return {
    expectLines: expected.add,
    checksum: expected.checksum,
    block: blocks.take,
    compare: ({ buffer, length }) => send({ block: buffer as ArrayBuffer, bytes: length }, [buffer as ArrayBuffer]),
    unpackAlong: (chunks) => copied(chunks, (packed) => send({ packed }, [packed.buffer]), fail),
    openAlong: (chunks) => copied(chunks, (sealed) => send({ sealed }, [sealed.buffer]), fail),
    result: async () => {
      send('end')
      const { stored, content, checksum } = await found.promise
      expected.check(content, checksum)
      return { stored, content }
    },
    [Symbol.asyncDispose]: async () => {
      await thread.terminate()
    },
  }
}

/** Lets chunks through, and hands on a copy of each. Calls `fail` when reading stops early: then nothing will free the next block. */
async function* copied(
  chunks: AsyncIterable<Buffer>,
  take: (copy: Uint8Array<ArrayBuffer>) => void,
  fail: (error: Error) => void,
): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    take(new Uint8Array(chunk))
    let left = true
    try {
      yield chunk
      left = false
    } finally {
      if (left) fail(new Error('the data file is not wanted any more'))
    }
  }
}

/** Counts the lines as they come, before anything is made of them. */
function expectedLines() {
  const checksum = checksummer()
  let bytes = 0
  let lines = 0
  return {
    add: (batch: readonly Buffer[]): void => {
      lines += batch.length
      for (const line of batch) {
        bytes += line.length + 1
        checksum.update(line)
        checksum.update(lineFeed)
      }
    },
    checksum: checksum.result,
    /** Throws `verification-failed` for content that is not these lines. */
    check: (content: Found['content'], unpacked: number): void => {
      if (content.bytes !== bytes || content.lines !== lines) {
        throw differs(`it has ${content.lines} lines and ${content.bytes} bytes instead of ${lines} and ${bytes}`)
      }
      if (unpacked !== checksum.result()) throw differs('its lines are not the ones that came')
    },
  }
}

const lineFeed = Buffer.from('\n')

type Block = Buffer<ArrayBuffer>

/** A fixed number of blocks that go round. One taker at a time waits for the next to come back; `fail` makes it, and all after it, throw. */
function circulatingBlocks() {
  const free = Array.from({ length: blockCount }, (): Block => Buffer.from(new ArrayBuffer(blockBytes)))
  let waiting: PromiseWithResolvers<Block> | undefined
  let failure: { readonly error: unknown } | undefined
  return {
    take: async (): Promise<Block> => {
      if (failure) throw failure.error
      const block = free.pop()
      if (block) return block
      waiting = Promise.withResolvers()
      return await waiting.promise
    },
    giveBack: (block: Block): void => {
      if (waiting === undefined) free.push(block)
      else waiting.resolve(block)
      waiting = undefined
    },
    fail: (error: unknown): void => {
      failure ??= { error }
      waiting?.reject(failure.error)
    },
  }
}

/** The error for a data file that does not hold what came; `fact` says how it differs. */
export function differs(fact: string): BackupError {
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
