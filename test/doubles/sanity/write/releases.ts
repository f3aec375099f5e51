import { recordIn, textIn } from '../data/json.ts'
import type { Dataset, SanityDocument } from '../data/store.ts'
import { alreadyExists, invalid, MutationError, notFound } from './errors.ts'
import { patched } from './patch.ts'
import { Transaction, type Writer } from './transaction.ts'

/** What an action can touch beside its transaction. */
export type Scene = { readonly dataset: Dataset; readonly writer: Writer; readonly transaction: Transaction }

type Action = Readonly<Record<string, unknown>>

/** Documents of a release that was archived, to come back with `unarchive`. */
const archives = new WeakMap<Dataset, Map<string, readonly SanityDocument[]>>()

const documentIdOf = (releaseId: string): string => `_.releases.${releaseId}`

/**
 * The release actions of @sanity/client types.ts, and the walk that its integration tests found by probing (sanity-io/client
 * test/integration/releases.integration.test.ts): active → scheduled → active → archived → active → published → deleted.
 */
export const releaseActions: Readonly<Record<string, (scene: Scene, action: Action) => void>> = {
  create(scene, action) {
    const releaseId = releaseIdOf(action)
    refuseKnown(scene, releaseId)
    const metadata = { releaseType: 'undecided', ...recordIn(action, 'metadata') }
    const document = { _id: documentIdOf(releaseId), _type: 'system.release', name: releaseId, state: 'active', metadata }
    refuseOverLimit(scene, document)
    scene.transaction.write({ ...document, userId: scene.writer.author })
  },
  import: importRelease,
  edit(scene, action) {
    const release = releaseOf(scene, action)
    if (stateOf(release) !== 'active') throw invalid(`Release "${release['name']}" in state '${stateOf(release)}' can not be edited`)
    write(scene, { ...patched(release, recordIn(action, 'patch')) })
  },
  schedule(scene, action) {
    const release = releaseOf(scene, action)
    const publishAt = textIn(action, 'publishAt') ?? ''
    if (Number.isNaN(Date.parse(publishAt))) throw invalid('publishAt must be a date')
    move(scene, release, { from: ['active'], by: 'scheduling', set: { publishAt } })
    scene.transaction.afterwards(() => afterScheduling(scene, String(release['name']), publishAt))
  },
  unschedule(scene, action) {
    const { publishAt: _, ...release } = releaseOf(scene, action)
    move(scene, release, { from: ['scheduled'], by: 'active', name: 'unscheduling' })
  },
  publish(scene, action) {
    const release = releaseOf(scene, action)
    move(scene, release, { from: ['active'], by: 'publishing' })
    scene.transaction.afterwards(() => transition(scene, String(release['name']), 'published', publishVersions))
  },
  archive(scene, action) {
    const release = releaseOf(scene, action)
    move(scene, release, { from: ['active'], by: 'archiving' })
    scene.transaction.afterwards(() => transition(scene, String(release['name']), 'archived', archiveVersions))
  },
  unarchive(scene, action) {
    const release = releaseOf(scene, action)
    move(scene, release, { from: ['archived'], by: 'unarchiving' })
    scene.transaction.afterwards(() => transition(scene, String(release['name']), 'active', unarchiveVersions))
  },
  delete(scene, action) {
    const release = releaseOf(scene, action)
    requireState(release, ['archived', 'published'], 'deleted')
    for (const { _id } of versionsOf(scene.dataset, String(release['name']))) scene.transaction.remove(_id)
    scene.transaction.remove(release._id)
  },
}

/** The text and that it is a `validationError` come from a public project that met it live; a release that is not there locks nothing. */
export function refuseLocked(transaction: Transaction, id: string): void {
  const releaseId = /^versions\.([^.]+)\./.exec(id)?.[1]
  const release = releaseId === undefined ? undefined : transaction.find(documentIdOf(releaseId))
  if (!release || stateOf(release) === 'active') return
  throw invalid(`Documents in release "${releaseId}" (state: ${stateOf(release)}) can not be mutated`)
}

/** INFERRED: the state is taken as it comes; a scheduled release whose time has passed is published at once, as by `schedule`. */
function importRelease(scene: Scene, action: Action): void {
  const releaseId = releaseIdOf(action)
  const ifExists = textIn(action, 'ifExists') ?? 'fail'
  if (scene.transaction.has(documentIdOf(releaseId)) && ifExists === 'ignore') return
  if (ifExists === 'fail') refuseKnown(scene, releaseId)
  const given = { ...recordIn(action, 'attributes'), ...recordIn(action, 'document') }
  const release = { state: 'active', ...given, name: releaseId, _id: documentIdOf(releaseId), _type: 'system.release' }
  refuseOverLimit(scene, release)
  scene.transaction.write(release)
  const publishAt = textIn(release, 'publishAt') ?? textIn(recordIn(release, 'metadata'), 'intendedPublishAt')
  if (stateOf(release) !== 'scheduled' || publishAt === undefined) return
  scene.transaction.afterwards(() => scene.dataset.later(Date.parse(publishAt), () => publishIfScheduled(scene, releaseId)))
}

function afterScheduling(scene: Scene, releaseId: string, publishAt: string): void {
  transition(scene, releaseId, 'scheduled', () => {
    // A time that has passed publishes at once: sanity-io/client test/integration/releases.integration.test.ts.
    scene.dataset.later(Date.parse(publishAt), () => publishIfScheduled(scene, releaseId, publishAt))
    return {}
  })
}

function publishIfScheduled(scene: Scene, releaseId: string, publishAt?: string): void {
  const release = scene.dataset.find(documentIdOf(releaseId))
  if (!release || stateOf(release) !== 'scheduled' || (publishAt !== undefined && release['publishAt'] !== publishAt)) return
  const transaction = new Transaction(scene.dataset, serverOf(scene))
  write({ ...scene, transaction }, { ...release, state: 'publishing' })
  transaction.commit()
  transition(scene, releaseId, 'published', publishVersions)
}

/** Actions answer before their release has arrived in its new state: same source. What fails then sends it back, with the error in it (INFERRED). */
function transition(scene: Scene, releaseId: string, to: string, work: (scene: Scene, releaseId: string) => object): void {
  scene.dataset.later(Date.now() + scene.writer.rules.transitionMs, () => {
    const attempt = { ...scene, writer: serverOf(scene), transaction: new Transaction(scene.dataset, serverOf(scene)) }
    const release = scene.dataset.find(documentIdOf(releaseId))
    if (!release) return
    try {
      const more = work(attempt, releaseId)
      write(attempt, { ...release, state: to, ...more })
      const [error] = attempt.transaction.errors()
      if (error) throw error
      attempt.transaction.commit()
    } catch (error) {
      if (!(error instanceof MutationError)) throw error
      const back = { ...scene, transaction: new Transaction(scene.dataset, serverOf(scene)) }
      write(back, { ...release, state: 'active', error: { message: error.message } })
      back.transaction.commit()
    }
  })
}

/** Version documents become the published ones; a tombstone (`_system.delete`) takes the published one away. */
function publishVersions({ dataset, transaction }: Scene, releaseId: string): object {
  const versions = versionsOf(dataset, releaseId)
  for (const { _system, _updatedAt, ...version } of versions) {
    const id = version._id.slice(`versions.${releaseId}.`.length)
    const published = transaction.find(id)
    transaction.remove(version._id)
    if (recordIn({ _system }, '_system')['delete'] === true) transaction.remove(id)
    else transaction.write({ ...version, _createdAt: published?.['_createdAt'] ?? version['_createdAt'], _id: id })
  }
  return { finalDocumentStates: versions.map(({ _id }) => ({ _key: _id, id: _id })), publishedAt: transaction.now }
}

/** Archiving deletes the version documents: @sanity/client types.ts, ArchiveReleaseAction. */
function archiveVersions({ dataset, transaction }: Scene, releaseId: string): object {
  const versions = versionsOf(dataset, releaseId)
  const known = archives.get(dataset) ?? new Map()
  archives.set(dataset, known.set(releaseId, versions))
  for (const { _id } of versions) transaction.remove(_id)
  return { finalDocumentStates: versions.map(({ _id }) => ({ _key: _id, id: _id })) }
}

function unarchiveVersions({ dataset, transaction }: Scene, releaseId: string): object {
  for (const version of archives.get(dataset)?.get(releaseId) ?? []) transaction.write(version)
  return {}
}

function versionsOf(dataset: Dataset, releaseId: string): SanityDocument[] {
  return dataset.entries.flatMap(({ id, document }) => (id?.startsWith(`versions.${releaseId}.`) && document ? document : []))
}

/** The server itself may write everything; it has no `_updatedAt` to keep. */
function serverOf({ writer }: Scene): Writer {
  return { ...writer, author: '<system>', may: () => true }
}

function write({ transaction }: Scene, { _updatedAt, ...release }: SanityDocument): void {
  transaction.write(release)
}

type Move = { readonly from: readonly string[]; readonly by: string; readonly name?: string; readonly set?: object }

function move(scene: Scene, release: SanityDocument, { from, by, name = by, set = {} }: Move): void {
  requireState(release, from, name)
  write(scene, { ...release, ...set, state: by })
}

/** The text: sanity-io/client CONTRIBUTING.md, and a public project that met it live. */
function requireState(release: SanityDocument, from: readonly string[], to: string): void {
  if (from.includes(stateOf(release))) return
  throw invalid(`Release "${release['name']}" is not permitted to transition from state '${stateOf(release)}' to '${to}'`)
}

const stateOf = (release: Readonly<Record<string, unknown>>): string => textIn(release, 'state') ?? 'active'

function releaseIdOf(action: Action): string {
  const releaseId = textIn(action, 'releaseId')
  if (releaseId === undefined || releaseId === '' || releaseId.includes('.')) throw invalid('releaseId is not valid')
  return releaseId
}

function releaseOf({ transaction }: Scene, action: Action): SanityDocument {
  const id = documentIdOf(releaseIdOf(action))
  const release = transaction.find(id)
  if (!release) throw notFound(id)
  return release
}

/** The type: sanity-io/sanity @repo/release-notes; the words: sanity-io/sanity issue 11515. */
function refuseKnown({ transaction }: Scene, releaseId: string): void {
  const id = documentIdOf(releaseId)
  if (!transaction.has(id)) return
  throw new MutationError(409, { ...alreadyExists(id).item, description: 'there is already a release with that ID' })
}

/** sanity-io/sanity isReleaseLimitError.ts; the status is INFERRED. */
function refuseOverLimit({ dataset, transaction, writer }: Scene, release: SanityDocument): void {
  const limit = writer.rules.releaseLimit
  const done = (document: SanityDocument | undefined) => !document || ['archived', 'published'].includes(stateOf(document))
  if (!Number.isFinite(limit) || done(release) || transaction.has(release._id)) return
  const open = dataset.entries.filter(({ id, document }) => id?.startsWith('_.releases.') && !done(document)).length
  if (open < limit) return
  const description = `Release limit of ${limit} exceeded`
  throw new MutationError(403, { type: 'releaseLimitExceededError', limit, description })
}
