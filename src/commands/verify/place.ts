import { BackupError } from '../../errors.ts'
import { liesWithin } from '../../snapshot/workshop/files.ts'
import { sweepLeftovers } from '../../snapshot/workshop/leftovers.ts'
import { type FolderName, makeWorkshop, type SnapshotFolder } from '../../snapshot/workshop/workshop.ts'
import { quoteOutside } from '../../text.ts'
import type { Tools } from '../../tools.ts'

/** A workshop below a folder. Disposing it removes what was not published. */
type Place = Disposable & { readonly folder: SnapshotFolder }

/** `of`: what names the folder. Below RUNNER_TEMP lies what nobody is to see, of which several may be needed at a time. */
type PlaceNeeds = { readonly path: string; readonly name: string; readonly of: Exclude<FolderName, 'path'> }

/** Two runs may share a folder. */
const nameTries = 5

/** Makes a workshop below `path`, after removing what killed runs left there. Throws `input-invalid` if the name is taken. */
export async function openPlace({ path, name, of }: PlaceNeeds, { now }: Pick<Tools, 'now'>): Promise<Place> {
  await sweepLeftovers(path, now())
  for (let tryNumber = 1; tryNumber <= nameTries; tryNumber++) {
    const folder = await makeWorkshop({ path, name: of === 'RUNNER_TEMP' ? `${name}-${crypto.randomUUID()}` : name, of })
    if (folder) return { folder, [Symbol.dispose]: () => folder[Symbol.dispose]() }
    if (of === 'fetch-to') break
  }
  throw new BackupError({
    code: 'input-invalid',
    title: 'The snapshot folder cannot be made',
    message: `${of}: there is a folder "${quoteOutside(name, 200)}" in "${quoteOutside(path, 200)}" already.`,
    hint: 'Let `fetch-to` name an empty folder, such as one below ${{ runner.temp }}, or remove what is there.',
  })
}

/** Throws `input-invalid` if `fetch-to` is the folder of the snapshot, or lies in it. */
export async function ensureOutside(fetchTo: string, snapshot: string): Promise<void> {
  if (!(await liesWithin(fetchTo, snapshot))) return
  throw new BackupError({
    code: 'input-invalid',
    title: 'The snapshot folder cannot be made',
    message: `fetch-to: "${quoteOutside(fetchTo, 200)}" lies in the snapshot itself. Nothing may be added to a snapshot.`,
    hint: 'Let `fetch-to` name a folder beside the snapshot, or one below ${{ runner.temp }}.',
  })
}
