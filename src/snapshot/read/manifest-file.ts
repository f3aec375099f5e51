import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { manifestFile, type StoredManifest } from '../../format/manifest/manifest.ts'
import { parseManifest } from '../../format/manifest/parse-manifest.ts'

/** Reads the manifest in the folder of a snapshot. Throws where there is none, or one that is not valid. */
export async function readManifest(folder: string): Promise<StoredManifest> {
  return parseManifest(await readManifestBytes(folder))
}

/** Reads the bytes of that manifest. Throws where there is none, and for what is no file: reading a pipe would never end. */
export async function readManifestBytes(folder: string): Promise<Buffer> {
  const path = join(folder, manifestFile)
  if (!(await stat(path)).isFile()) throw Object.assign(new Error(`${manifestFile} is no file`), { code: 'no file' })
  return await readFile(path)
}
