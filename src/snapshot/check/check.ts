import { lstat, readdir } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { BackupError, findSystemCode } from '../../errors.ts'
import { type Finding, type Findings, fileFinding, findingList } from '../../format/findings/finding.ts'
import type { ListedFile } from '../../format/findings/listing-check.ts'
import { manifestFile, type StoredManifest } from '../../format/manifest/manifest.ts'
import { parseManifest } from '../../format/manifest/parse-manifest.ts'
import { digestOf } from '../../streams/digest.ts'
import { workThrough } from '../../streams/workers.ts'
import { documentsBelow } from '../read/document-lines.ts'
import { readManifestBytes } from '../read/manifest-file.ts'
import type { Look } from './look.ts'
import { checkPart, type Part } from './part.ts'

/** `manifestBytes`: what the manifest must be, where that is known. */
type CheckOptions = Pick<Look, 'level' | 'signal' | 'opener'> & { readonly manifestBytes?: Buffer }

/**
 * Looks at a snapshot in a folder and gives all that is wrong with it: nothing, for a snapshot that is whole. See `Level` for how closely.
 * Memory stays bounded. Throws `snapshot-invalid` if there is no readable manifest, and the signal's reason when it is aborted.
 */
export async function checkSnapshot(folder: string, { manifestBytes, ...look }: CheckOptions): Promise<Finding[]> {
  const bytes = await readManifest(folder)
  const manifest = parseManifest(bytes)
  const findings = findingList()
  if (manifestBytes && !bytes.equals(manifestBytes)) {
    findings.add(fileFinding('digest-differs', manifestFile, `is not the one that was written (${digestOf(bytes)})`))
  }
  const part = await partIn(folder, manifest, findings)
  await checkPart(part, { ...look, findings })
  return findings.result()
}

async function readManifest(folder: string): Promise<Buffer> {
  try {
    return await readManifestBytes(folder)
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

/** So many files are looked at at once. */
const concurrency = 4

/** What lies in a folder. Links and other things that are no files are findings. */
async function partIn(folder: string, manifest: StoredManifest, findings: Findings): Promise<Part> {
  const listed: ListedFile[] = []
  const entries = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => !entry.isDirectory())
  await workThrough(entries.values(), { concurrency }, async (entry) => {
    const file = join(entry.parentPath, entry.name)
    const path = relative(folder, file).split(sep).join('/')
    if (entry.isFile()) listed.push({ path, sizeBytes: (await lstat(file)).size })
    else findings.add(fileFinding('file-unexpected', path, 'is no ordinary file'))
  })
  const paths = listed.map(({ path }) => path)
  return { manifest, folder, listed, ...(manifest.branch ? { documents: documentsBelow(folder, manifest, paths) } : {}) }
}
