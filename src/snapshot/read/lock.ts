import type { Opener } from '../../codec/age.ts'
import { AgeError } from '../../codec/age-error.ts'
import { findSystemCode } from '../../errors.ts'
import { isSealed, plainName } from '../../format/manifest/sealed.ts'
import { dataFilesIn, type ReadablePart } from './document-lines.ts'
import { openedFile, type StoredFile } from './opened.ts'

/** Where nothing opens, so many files are tried: with thousands of assets it would take long. */
const mostTries = 20

/**
 * Whether an opener fits a snapshot that was fetched: `open` if it opens the beginning of any file, `locked` if it opens none and one of them says that
 * it is meant for others; `unclear` if all that was tried is missing or damaged.
 */
export async function findOpening(parts: readonly ReadablePart[], opener: Opener): Promise<'open' | 'locked' | 'unclear'> {
  let found: 'locked' | 'unclear' = 'unclear'
  for (const file of parts.flatMap(sealedFiles).slice(0, mostTries)) {
    const state = await tryToOpen(file, opener)
    if (state === 'open') return 'open'
    if (state === 'locked') found = 'locked'
  }
  return found
}

/** The file of details and the data file come first. */
function sealedFiles({ manifest, folder }: ReadablePart): StoredFile[] {
  const data = dataFilesIn(manifest).map(({ name, parts }) => ({ folder, path: name, parts: parts.map(({ path }) => path) }))
  const others = manifest.files.filter(isSealed).map(({ path }) => ({ folder, path }))
  const isAsset = ({ path }: StoredFile) => plainName(path).startsWith('assets/')
  return [...others.filter((file) => !isAsset(file)), ...data.filter(isSealed), ...others.filter(isAsset)]
}

/** The first chunk opens only with the right key. */
async function tryToOpen(file: StoredFile, opener: Opener): Promise<'open' | 'locked' | 'unclear'> {
  try {
    for await (const _ of openedFile(file, { opener })) break
    return 'open'
  } catch (error) {
    if (error instanceof AgeError) return error.reason === 'locked' ? 'locked' : 'unclear'
    if (findSystemCode(error) === undefined) throw error
    return 'unclear'
  }
}
