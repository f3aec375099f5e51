import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { act } from '../doubles/sanity/calls.ts'
import type { SanityDocument } from '../doubles/sanity/data/store.ts'
import { type Sanity, startSanity } from '../doubles/sanity/sanity.ts'
import { makeTempFolder } from '../support/process.ts'
import { runAction } from '../support/runner/runner.ts'

export const checks = ['end', 'each'] as const

type Check = (typeof checks)[number]

/** A dataset with all that a restore has to bring into an order, a snapshot of it, and what became of it. */
export type RestoreScene = AsyncDisposable & {
  readonly sanity: Sanity
  /** The folder of the snapshot. */
  readonly path: string
  /** Spoils the dataset, the same way each time. */
  readonly spoil: () => Promise<void>
  /** What of the dataset is not as the snapshot has it, in words. */
  readonly differences: () => string[]
}

const reference = (id: string) => ({ _type: 'reference', _ref: id })
const ids = (name: string, count: number) => Array.from({ length: count }, (_, index) => `${name}-${index}`)

function page(id: string, to: readonly string[], more: object = {}): SanityDocument {
  const second = String(createHash('sha256').update(id).digest().readUInt8() % 60).padStart(2, '0')
  const times = { _createdAt: `2026-01-01T00:00:${second}Z`, _updatedAt: '2026-01-02T00:00:00Z' }
  return {
    _id: id,
    _type: 'page',
    ...times,
    title: 'As it was',
    to: to.map((each, _key) => ({ ...reference(each), _key: `k${_key}` })),
    ...more,
  }
}

const ring = (name: string, count: number) => ids(name, count).map((id, index) => page(id, [`${name}-${(index + 1) % count}`]))
const chain = (name: string, count: number) => ids(name, count).map((id, index) => page(id, index === 0 ? [] : [`${name}-${index - 1}`]))

/** A batch holds 500 documents: rings of more have to begin weak. A chain of more than 32 has too many levels. */
const wanted: readonly SanityDocument[] = [
  ...ring('large', 520),
  ...ids('pair', 20).map((id, index) => page(id, [`pair-${index ^ 1}`])),
  ...chain('chain', 34),
  ...ids('post', 100).map((id, index) => page(id, [`pair-${index % 20}`])),
  ...ids('drafts.post', 20).map((id) => page(id, ['type-0'])),
  ...ids('versions.spring.post', 10).map((id) => page(id, ['post-0'])),
  ...ids('type', 4).map((id, index) => page(id, [`type-${(index + 1) % 4}`])),
  page('self', ['self']),
]

/** What is made after the snapshot, and has to go. */
const added: readonly SanityDocument[] = [
  ...ring('added', 510),
  ...chain('later', 6),
  ...ids('new', 40).map((id) => page(id, ['post-3', id])),
]

/** Not chosen: neither written nor deleted. */
const kept = page('kept-0', ['post-1'], { title: 'Nobody is to touch this' })

export async function startRestoreScene(referenceCheck: Check): Promise<RestoreScene> {
  await using stack = new AsyncDisposableStack()
  const sanity = stack.use(await startSanity({ rules: { referenceCheck } }))
  const temp = stack.use(await makeTempFolder('chaos-restore'))
  const path = join(temp.path, 'snapshots')
  const store = sanity.store()
  await act(sanity, [{ actionType: 'release.create', releaseId: 'spring', metadata: { title: 'Spring', releaseType: 'undecided' } }])
  const assets = ['one', 'two', 'three', 'four'].map(
    (name) => sanity.addAsset({ kind: 'files', bytes: Buffer.from(name), filename: `${name}.txt` })._id,
  )
  for (const id of assets) store.put({ ...(store.find(id) as SanityDocument), title: `About ${id}` })
  for (const document of wanted) store.put({ ...document, _rev: 'before' })
  const inputs = {
    'project-id': sanity.project,
    token: sanity.token,
    'api-host': sanity.url,
    destination: 'directory',
    path,
    'include-assets': 'true',
  }
  await using made = await runAction({ inputs })
  if (made.exitCode !== 0) throw new Error(`the backup failed:\n${made.maskedLog}`)
  const snapshot = new Map(store.documents().map((document) => [document._id, document]))
  store.put({ ...kept, _rev: 'kept' })
  const keptThere = store.find(kept._id)
  const owned = stack.move()
  return {
    sanity,
    path,
    spoil: async () => {
      sanity.reset()
      for (const { _id } of store.documents()) store.remove(_id)
      for (const document of snapshot.values()) {
        if (staysThere(document._id)) store.put({ ...spoiled(document), _rev: crypto.randomUUID() })
      }
      for (const document of [...added, kept]) store.put({ ...document, _rev: crypto.randomUUID() })
    },
    differences: () => {
      const there = new Map(store.documents().map((document) => [document._id, document]))
      const names = new Set([...snapshot.keys(), ...there.keys()])
      return [...names].flatMap((id) => {
        const should = id === kept._id ? keptThere : snapshot.get(id)
        const is = there.get(id)
        if (should && is && content(should) === content(is)) return []
        return [`${id} ${is ? (should ? 'differs' : 'is there') : 'is missing'}`]
      })
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Half of the posts and some of everything else that others refer to is left. */
function staysThere(id: string): boolean {
  return !/^(large|chain|pair-1\d|drafts|versions|_\.releases|self|file-[a-c])/.test(id) && !/^post-[1-4]\d$/.test(id)
}

function spoiled(document: SanityDocument): SanityDocument {
  const { _id } = document
  // Documents that refer to one another change their type together.
  if (_id.startsWith('type-')) return { ...document, _type: 'other' }
  const to = (document['to'] as { _ref: string }[] | undefined)?.filter(({ _ref }) => staysThere(_ref))
  if (/^(post|pair|file)-.*[02468](-txt)?$/.test(_id) || to?.length === 0) return { ...document, title: 'Spoiled', ...(to ? { to } : {}) }
  return document
}

/** As 2.4.1 of the contract compares documents. */
function content({ _rev, _updatedAt, _system, ...rest }: SanityDocument): string {
  const asset = String(rest._type).endsWith('Asset')
  const own = Object.entries(rest).filter(([key]) => !(asset && (key === '_createdAt' || key === 'uploadId')))
  return JSON.stringify(own.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
