import { listIn, recordIn, textIn } from '../data/json.ts'
import type { SanityDocument } from '../data/store.ts'
import { alreadyExists, invalid, MutationError, notFound, otherRevision } from './errors.ts'
import { patched } from './patch.ts'
import { refuseLocked, type Scene } from './releases.ts'

type Action = Readonly<Record<string, unknown>>

/**
 * The document actions of @sanity/client types.ts. The member with the document is `document` in the newer docs and `attributes` in the older
 * types; both are taken.
 */
export const documentActions: Readonly<Record<string, (scene: Scene, action: Action) => void>> = {
  'version.create'(scene, action) {
    const baseId = textIn(action, 'baseId')
    const version = baseId === undefined ? given(action) : copyOfBase(scene, action, baseId)
    if (!version._id.startsWith('versions.')) throw invalid('The document of a version needs an ID that begins with "versions."')
    if (scene.transaction.has(version._id)) throw alreadyExists(version._id)
    write(scene, version)
  },
  'version.replace'(scene, action) {
    const version = given(action)
    need(scene, version._id)
    write(scene, version)
  },
  'version.discard'(scene, action) {
    remove(scene, need(scene, idIn(action, 'versionId'))._id)
  },
  /** An empty document with `_system.delete`, which takes the published one away when the release is published: sanity-io/sanity AGENTS.md. */
  'version.unpublish'(scene, action) {
    const published = need(scene, idIn(action, 'publishedId'))
    write(scene, { _id: idIn(action, 'versionId'), _type: published._type, _system: { delete: true } })
  },
  create(scene, action) {
    const draft = given(action)
    if (!scene.transaction.has(draft._id)) return write(scene, draft)
    if (textIn(action, 'ifExists') !== 'ignore') throw alreadyExists(draft._id)
  },
  replaceDraft(scene, action) {
    write(scene, given(action))
  },
  edit(scene, action) {
    const draftId = idIn(action, 'draftId')
    const base = scene.transaction.find(draftId) ?? need(scene, idIn(action, 'publishedId'))
    write(scene, { ...withoutTime(patched(base, recordIn(action, 'patch'))), _id: draftId })
  },
  publish(scene, action) {
    const draft = need(scene, idIn(action, 'draftId'))
    const publishedId = idIn(action, 'publishedId')
    requireRevision(draft, textIn(action, 'ifDraftRevisionId'))
    const published = scene.transaction.find(publishedId)
    if (published) requireRevision(published, textIn(action, 'ifPublishedRevisionId'))
    scene.transaction.write({ ...withoutTime(draft), _id: publishedId })
    scene.transaction.remove(draft._id)
  },
  unpublish(scene, action) {
    const published = need(scene, idIn(action, 'publishedId'))
    const draftId = idIn(action, 'draftId')
    if (!scene.transaction.has(draftId)) scene.transaction.write({ ...withoutTime(published), _id: draftId })
    scene.transaction.remove(published._id)
  },
  /** Fails if there are drafts that the action does not name: @sanity/client types.ts, DeleteAction. */
  delete(scene, action) {
    const published = need(scene, idIn(action, 'publishedId'))
    const drafts = listIn(action, 'includeDrafts').map(String)
    const forgotten = `drafts.${published._id}`
    if (scene.transaction.has(forgotten) && !drafts.includes(forgotten)) throw invalid(`Draft "${forgotten}" is not included`)
    for (const id of [...drafts, published._id]) scene.transaction.remove(id)
  },
}

/** INFERRED: what a version was made from is noted in `_system.base` (sanity-io/sanity divergence/fixtures/transactions.ts). */
function copyOfBase(scene: Scene, action: Action, baseId: string): SanityDocument {
  const base = need(scene, baseId)
  requireRevision(base, textIn(action, 'ifBaseRevisionId'))
  return { ...withoutTime(base), _id: idIn(action, 'versionId'), _system: { base: { id: baseId, rev: base['_rev'] } } }
}

function given(action: Action): SanityDocument {
  const document = { ...recordIn(action, 'attributes'), ...recordIn(action, 'document') }
  const { _id, _type } = document
  if (typeof _id !== 'string' || typeof _type !== 'string') throw invalid('The document needs an _id and a _type')
  return { ...document, _id, _type }
}

function write({ transaction }: Scene, document: SanityDocument): void {
  refuseLocked(transaction, document._id)
  transaction.write(document)
}

function remove({ transaction }: Scene, id: string): void {
  refuseLocked(transaction, id)
  transaction.remove(id)
}

function need({ transaction }: Scene, id: string): SanityDocument {
  const document = transaction.find(id)
  if (!document) throw notFound(id)
  return document
}

function idIn(action: Action, member: string): string {
  const id = textIn(action, member)
  if (id === undefined) throw new MutationError(400, { type: 'validationError', description: `${member} is missing` })
  return id
}

function requireRevision(document: SanityDocument, expected: string | undefined): void {
  if (expected !== undefined && document['_rev'] !== expected) throw otherRevision(document._id, document['_rev'], expected)
}

/** The Studio, too, takes the old time out before each of these: sanity-io/sanity operations/publish.ts. */
const withoutTime = ({ _updatedAt, ...document }: SanityDocument): SanityDocument => document
