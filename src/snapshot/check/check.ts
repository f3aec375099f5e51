import { lstat, readdir, readFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { BackupError, findSystemCode } from '../../errors.ts'
import { type Finding, type Findings, fileFinding, findingList } from '../../format/findings/finding.ts'
import { isDocumentFile, type ListedFile } from '../../format/findings/listing-check.ts'
import { manifestFile, type StoredManifest } from '../../format/manifest/manifest.ts'
import { parseManifest } from '../../format/manifest/parse-manifest.ts'
import { digestOf } from '../../streams/digest.ts'
import { workThrough } from '../../streams/workers.ts'
import { checkPart, type DocumentFiles, type Level, type Part } from './part.ts'

/** `manifestBytes`: what the manifest must be, where that is known. */
type CheckOptions = { readonly level: Level; readonly manifestBytes?: Buffer; readonly signal: AbortSignal }

/**
 * Looks at a snapshot in a folder and gives all that is wrong with it: nothing, for a snapshot that is whole. See {@link Level} for how closely.
 * Memory stays bounded. Throws `snapshot-invalid` if there is no readable manifest, and the signal's reason when it is aborted.
 */
export async function checkSnapshot(folder: string, { level, manifestBytes, signal }: CheckOptions): Promise<Finding[]> {
  const bytes = await readManifest(folder)
  const manifest = parseManifest(bytes)
  const findings = findingList()
  if (manifestBytes && !bytes.equals(manifestBytes)) {
    findings.add(fileFinding('digest-differs', manifestFile, `is not the one that was written (${digestOf(bytes)})`))
  }
  const part = await partIn(folder, manifest, findings)
  await checkPart(part, { level, findings, signal })
  return findings.result()
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
  return { manifest, folder, listed, ...(manifest.branch ? { documents: documentsIn(folder, manifest, listed) } : {}) }
}

/** The documents of a branch that was checked out. */
function documentsIn(folder: string, manifest: StoredManifest, listed: readonly ListedFile[]): DocumentFiles {
  const paths = listed.map(({ path }) => path).filter((path) => isDocumentFile(manifest, path))
  return {
    // They are listed with all others.
    paths: async function* () {},
    files: async function* () {
      for (const path of paths.sort()) yield { path, content: await readFile(join(folder, path)) }
    },
  }
}
