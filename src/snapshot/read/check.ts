import { createReadStream } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import type { Codec } from '../../codec/codec.ts'
import { findCodec } from '../../codec/codecs.ts'
import { BackupError, findSystemCode, messageOf } from '../../errors.ts'
import { attributesFile } from '../../format/branch-layout.ts'
import { findLedgerEntry, ledgerFile } from '../../format/ledger.ts'
import { type FileEntry, manifestFile, type StoredManifest } from '../../format/manifest.ts'
import { parseManifest } from '../../format/parse-manifest.ts'
import { isSealed } from '../../format/sealed.ts'
import { type Digest, digester, digestOf, sumDigest } from '../../streams/digest.ts'
import { splitLines } from '../../streams/lines.ts'
import { freeing } from '../../streams/memory.ts'
import { tap } from '../../streams/tap.ts'
import { workThrough } from '../../streams/workers.ts'
import { quoteOutside } from '../../text.ts'
import { digestFile } from './file-digests.ts'

/** One thing that is wrong with a snapshot. */
export type Finding = {
  readonly kind:
    | 'file-missing'
    | 'file-unexpected'
    | 'size-differs'
    | 'digest-differs'
    | 'content-differs'
    | 'content-unreadable'
    | 'documents-differ'
    | 'assets-differ'
    | 'manifest-differs'
  readonly message: string
  readonly path: string
}

/**
 * Reads a snapshot folder from end to end and gives all that is wrong with it: nothing, for a snapshot that is whole.
 *
 * The manifest must be `manifestBytes`. Every file's size and digest are compared with it; the data file is decompressed, its content's digest
 * compared, and the number of its lines and their order-free digest. Without `unpack` it is not decompressed: its digest is enough for whoever
 * unpacked it when it was written. The same goes for what is encrypted. Memory stays constant.
 * Throws `snapshot-invalid` if there is no readable manifest, and the signal's reason when it is aborted.
 */
export async function checkSnapshot(
  folder: string,
  { manifestBytes, unpack = true, signal }: { manifestBytes: Buffer; unpack?: boolean; signal: AbortSignal },
): Promise<Finding[]> {
  const bytes = await readManifest(folder)
  const manifest = parseManifest(bytes)
  const findings: Finding[] = []
  if (!bytes.equals(manifestBytes)) {
    findings.push(finding('manifest-differs', manifestFile, `is not the one that was written (${digestOf(bytes)})`))
  }
  findings.push(...(await findUnexpected(folder, manifest)))
  const found: Finding[][] = []
  await workThrough(manifest.files.entries(), { concurrency: parallelChecks }, async ([index, entry]) => {
    found[index] = await checkFile({ folder, entry, lines: linesCheck(entry, manifest, unpack), signal })
  })
  return [...findings, ...found.flat()]
}

/** One file can be digested while others are read. */
const parallelChecks = 4

async function readManifest(folder: string): Promise<Buffer> {
  try {
    return await readFile(join(folder, manifestFile))
  } catch (error) {
    throw new BackupError({
      code: 'snapshot-invalid',
      title: 'The snapshot has no manifest',
      message: `There is no readable ${manifestFile} (${findSystemCode(error) ?? 'unknown reason'}), so this is no snapshot.`,
      hint: 'Choose another snapshot: one without a manifest was never finished.',
      cause: error,
    })
  }
}

async function findUnexpected(folder: string, manifest: StoredManifest): Promise<Finding[]> {
  // A snapshot that comes from a branch brings the file along that git reads there.
  const known = new Set([manifestFile, attributesFile, ...manifest.files.map(({ path }) => path)])
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !known.has(path))
    .map((path) => finding('file-unexpected', path, 'is not listed in the manifest'))
}

type FileCheck = {
  readonly folder: string
  readonly entry: FileEntry
  readonly lines: LinesCheck | undefined
  readonly signal: AbortSignal
}

async function checkFile(check: FileCheck): Promise<Finding[]> {
  const { folder, entry } = check
  const file = join(folder, entry.path)
  const size = await stat(file).then(
    (stats) => stats.size,
    () => undefined,
  )
  if (size === undefined) return [finding('file-missing', entry.path, 'is missing')]
  if (size !== entry.sizeBytes) return [finding('size-differs', entry.path, `has ${size} bytes instead of ${entry.sizeBytes}`)]
  return await checkBytes(file, check)
}

async function checkBytes(file: string, check: FileCheck): Promise<Finding[]> {
  const { entry, lines } = check
  const codec = lines && findCodec(entry.path)
  try {
    return codec ? await checkContent(file, { codec, lines }, check) : await checkPlain(file, check)
  } catch (error) {
    check.signal.throwIfAborted()
    return [finding('content-unreadable', check.entry.path, `cannot be read: ${quoteOutside(messageOf(error), 200)}`)]
  }
}

async function checkPlain(file: string, { entry, signal }: FileCheck): Promise<Finding[]> {
  const { digests } = await digestFile(file, ['sha256'], signal)
  return findDigest(entry, `sha256:${digests.sha256}`)
}

function findDigest(entry: FileEntry, digest: Digest): Finding[] {
  return digest === entry.digest ? [] : [finding('digest-differs', entry.path, `has the digest ${digest} instead of ${entry.digest}`)]
}

/** One pass over a file: what is stored is digested while it is decompressed, and the content with it. */
async function checkContent(
  file: string,
  { codec, lines }: { codec: Codec; lines: LinesCheck },
  { entry, signal }: FileCheck,
): Promise<Finding[]> {
  const stored = digester()
  const content = digester()
  const bytes: AsyncIterable<Buffer> = createReadStream(file, { highWaterMark: 256 * 1024, signal })
  const unpacked = codec.decompress(tap(bytes, stored.update))
  await readContent(tap(freeing(unpacked), content.update), lines)
  const findings = findDigest(entry, stored.result().digest)
  if (findings.length > 0) return findings
  const { bytes: contentBytes, digest: contentDigest } = content.result()
  if (contentBytes !== entry.contentBytes || contentDigest !== entry.contentDigest) {
    return [finding('content-differs', entry.path, 'does not hold the content that the manifest describes')]
  }
  const wrong = lines.findWrong()
  return wrong ? [finding(wrong.kind, entry.path, wrong.says)] : []
}

async function readContent(content: AsyncIterable<Buffer>, check: LinesCheck): Promise<void> {
  for await (const { lines } of splitLines(content, Number.POSITIVE_INFINITY)) {
    for (const line of lines) check.add(line)
  }
}

/** Undefined for a file that is not unpacked: it need not be, or is encrypted. */
function linesCheck({ path, contentDigest }: FileEntry, manifest: StoredManifest, unpack: boolean): LinesCheck | undefined {
  if (contentDigest === undefined || isSealed({ path })) return undefined
  if (path === ledgerFile) return ledgerCheck(manifest)
  return unpack ? documentsCheck(manifest) : undefined
}

/** Looks at the lines of a file, one after the other, and then says what is wrong with them. */
type LinesCheck = {
  readonly add: (line: Buffer) => void
  readonly findWrong: () => { readonly kind: Finding['kind']; readonly says: string } | undefined
}

function documentsCheck({ documents: { count, contentDigest } }: StoredManifest): LinesCheck {
  const sum = sumDigest()
  let lines = 0
  return {
    add: (line) => {
      sum.add(line)
      lines++
    },
    findWrong: () =>
      lines === count && sum.result() === contentDigest
        ? undefined
        : { kind: 'documents-differ', says: `does not hold the ${count} documents that the manifest describes (${lines} lines)` },
  }
}

/** Every asset has its file in the manifest, and every file of an asset its asset. */
function ledgerCheck({ files, assets }: StoredManifest): LinesCheck {
  const waiting = new Map(files.filter(({ path }) => path.startsWith('assets/')).map((entry) => [entry.path, entry]))
  const unclaimed = new Set(waiting.keys())
  const count = assets?.count ?? 0
  let lines = 0
  let strangers = 0
  return {
    add: (line) => {
      lines++
      const entry = findLedgerEntry(line)
      const file = entry && waiting.get(entry.path)
      if (!file || file.sizeBytes !== entry.sizeBytes || file.digest !== entry.digest) strangers++
      else unclaimed.delete(entry.path)
    },
    findWrong: () =>
      lines === count && strangers === 0 && unclaimed.size === 0
        ? undefined
        : {
            kind: 'assets-differ',
            says: `does not fit the manifest: ${lines} assets of ${count}, ${strangers} without their file, ${unclaimed.size} files without an asset`,
          },
  }
}

function finding(kind: Finding['kind'], path: string, says: string): Finding {
  return { kind, path, message: `${quoteOutside(path)} ${says}` }
}
