import { createReadStream } from 'node:fs'
import type { Seal } from '../../codec/age.ts'
import { BackupError, messageOf } from '../../errors.ts'
import type { FileEntry } from '../../format/manifest/manifest.ts'
import { sealedName } from '../../format/manifest/sealed.ts'
import { type Digester, digester } from '../../streams/digest.ts'
import { tap } from '../../streams/tap.ts'
import { quoteOutside } from '../../text.ts'
import { writeWhole } from './whole-file.ts'

type ToSeal = {
  /** What is encrypted. */
  readonly chunks: AsyncIterable<Buffer>
  readonly seal: Seal
  /** Has digested the plain content when all chunks have come. */
  readonly content: Digester
  /** Makes the plain content of the chunks. */
  readonly unpack: (chunks: AsyncIterable<Buffer>) => AsyncIterable<Buffer>
  readonly write?: (folder: string, name: string, content: Parameters<typeof writeWhole<undefined>>[2]) => Promise<unknown>
}

/**
 * Writes a file encrypted, as `<name>.age`, and gives its entry for the manifest. It gets its name when it was opened again, as it lies on disk, and
 * held the content. Throws `disk-full`, `verification-failed`, and whatever the chunks throw.
 */
export async function writeSealed(
  folder: string,
  name: string,
  { chunks, seal, content, unpack, write = writeWhole }: ToSeal,
): Promise<FileEntry> {
  const path = sealedName(name)
  const stored = digester()
  await write(folder, path, {
    chunks: tap(seal.seal(chunks), stored.update),
    prove: async (file) => {
      const opened = await digestOpened(file, { seal, unpack }).catch((error: unknown) => {
        throw differs(path, messageOf(error), error)
      })
      if (opened !== content.result().digest) throw differs(path, 'its content differs')
      return undefined
    },
  })
  const { bytes: sizeBytes, digest } = stored.result()
  const { bytes: contentBytes, digest: contentDigest } = content.result()
  return { path, sizeBytes, digest, contentBytes, contentDigest }
}

/** The same for bytes at hand. */
export async function writeSealedBytes(folder: string, name: string, { bytes, seal }: { bytes: Buffer; seal: Seal }): Promise<FileEntry> {
  const content = digester()
  content.update(bytes)
  return await writeSealed(folder, name, { chunks: oneChunk(bytes), seal, content, unpack: (chunks) => chunks })
}

async function* oneChunk(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

async function digestOpened(file: string, { seal, unpack }: Pick<ToSeal, 'seal' | 'unpack'>): Promise<string> {
  const opened = digester()
  const chunks = createReadStream(file, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>
  for await (const piece of unpack(seal.openSealed(chunks))) opened.update(piece)
  return opened.result().digest
}

function differs(path: string, fact: string, cause?: unknown): BackupError {
  return new BackupError({
    code: 'verification-failed',
    title: 'An encrypted file does not hold what was written',
    message: `The file ${quoteOutside(path)} was opened again and compared with what was encrypted: ${quoteOutside(fact, 200)}. Nothing was stored.`,
    hint: 'Run the backup once more. If it happens again, the runner’s memory or disk is not to be trusted: use another one.',
    cause,
  })
}
