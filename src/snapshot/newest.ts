import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Manifest, manifestFile, parseManifest } from './manifest.ts'

/** Reads the manifests of a dataset's snapshots whose folders lie in `path`, the newest first. What is no finished snapshot is passed over. */
export async function* snapshotsIn(
  path: string,
  { projectId, dataset }: { readonly projectId: string; readonly dataset: string },
): AsyncGenerator<Manifest> {
  const start = `${projectId}-${dataset}-`
  const names = (await readdir(path)).filter((name) => name.startsWith(start) && /^\d{8}T\d{6}Z(-|$)/.test(name.slice(start.length)))
  // The names of one dataset sort by time.
  for (const name of names.sort().reverse()) {
    const manifest = await findManifest(join(path, name))
    if (manifest !== undefined) yield manifest
  }
}

async function findManifest(folder: string): Promise<Manifest | undefined> {
  try {
    return parseManifest(await readFile(join(folder, manifestFile)))
  } catch {
    return undefined
  }
}
