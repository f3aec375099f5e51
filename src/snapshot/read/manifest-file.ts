import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { manifestFile, type StoredManifest } from '../../format/manifest/manifest.ts'
import { parseManifest } from '../../format/manifest/parse-manifest.ts'

/** Reads the manifest in the folder of a snapshot. Throws where there is none, or one that is not valid. */
export async function readManifest(folder: string): Promise<StoredManifest> {
  return parseManifest(await readFile(join(folder, manifestFile)))
}
