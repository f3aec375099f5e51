import { createReadStream } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { findCodec } from '../codec/codec.ts'
import { BackupError, findSystemCode, messageOf } from '../errors.ts'
import { digester, digesting, digestOf, sumDigest } from '../streams/digest.ts'
import { splitLines } from '../streams/lines.ts'
import { quoteOutside } from '../text.ts'
import { type FileEntry, type Manifest, manifestFile, parseManifest } from './manifest.ts'

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
    | 'manifest-differs'
  readonly message: string
  readonly path: string
}

/**
 * Reads a snapshot folder from end to end and gives all that is wrong with it: nothing, for a snapshot that is whole.
 *
 * Every file's size and digest are compared with the manifest; the data file is decompressed, its content's digest, the number of its lines
 * and their order-free digest compared too. With `manifestBytes`, the manifest must be that one. Memory stays constant.
 * Throws `snapshot-invalid` if there is no readable manifest, and the signal's reason when it is aborted.
 */
export async function checkSnapshot(
  folder: string,
  { manifestBytes, signal }: { manifestBytes: Buffer; signal: AbortSignal },
): Promise<Finding[]> {
  const bytes = await readManifest(folder)
  const manifest = parseManifest(bytes)
  const findings: Finding[] = []
  if (!bytes.equals(manifestBytes)) {
    findings.push(finding('manifest-differs', manifestFile, `is not the one that was written (${digestOf(bytes)})`))
  }
  findings.push(...(await findUnexpected(folder, manifest)))
  for (const entry of manifest.files) findings.push(...(await checkFile({ folder, entry, manifest, signal })))
  return findings
}

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

async function findUnexpected(folder: string, manifest: Manifest): Promise<Finding[]> {
  const known = new Set([manifestFile, ...manifest.files.map(({ path }) => path)])
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !known.has(path))
    .map((path) => finding('file-unexpected', path, 'is not listed in the manifest'))
}

type FileCheck = { readonly folder: string; readonly entry: FileEntry; readonly manifest: Manifest; readonly signal: AbortSignal }

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

/** One pass over a file: what is stored is digested while it is decompressed, and the content with it. */
async function checkBytes(file: string, { entry, manifest, signal }: FileCheck): Promise<Finding[]> {
  const stored = digester()
  const content = digester()
  const sum = sumDigest()
  let lines = 0
  const bytes = digesting(createReadStream(file, { highWaterMark: 1024 * 1024, signal }), stored)
  const codec = entry.contentDigest === undefined ? undefined : findCodec(entry.path)
  try {
    if (codec === undefined) {
      for await (const _ of bytes);
    } else {
      for await (const batch of splitLines(digesting(codec.decompress(bytes), content), Number.POSITIVE_INFINITY)) {
        for (const line of batch.lines) sum.add(line)
        lines += batch.lines.length
      }
    }
  } catch (error) {
    signal.throwIfAborted()
    return [finding('content-unreadable', entry.path, `cannot be read: ${quoteOutside(messageOf(error), 200)}`)]
  }
  const { digest } = stored.result()
  if (digest !== entry.digest) return [finding('digest-differs', entry.path, `has the digest ${digest} instead of ${entry.digest}`)]
  if (codec === undefined) return []
  const { bytes: contentBytes, digest: contentDigest } = content.result()
  if (contentBytes !== entry.contentBytes || contentDigest !== entry.contentDigest) {
    return [finding('content-differs', entry.path, 'does not hold the content that the manifest describes')]
  }
  const { count, contentDigest: expected } = manifest.documents
  return lines === count && sum.result() === expected
    ? []
    : [finding('documents-differ', entry.path, `does not hold the ${count} documents that the manifest describes (${lines} lines)`)]
}

function finding(kind: Finding['kind'], path: string, says: string): Finding {
  return { kind, path, message: `${quoteOutside(path)} ${says}` }
}
