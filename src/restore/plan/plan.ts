import { inOrderOfIds, referrersOf } from './catalog.ts'
import type { Stays } from './choice.ts'
import { findIntents, type Intent, type Intents, type PlanNeeds, wish } from './intents.ts'
import { isAsset } from './look.ts'
import { releaseOfVersion } from './release.ts'

/** What a restore would do, row by row: what is not in it stays as it is. */
export type Plan = {
  readonly rows: readonly Row[]
  /** Documents of the snapshot that the target has as they are. */
  readonly unchanged: number
  /** What a mirror leaves alone, by the reason. */
  readonly stays: ReadonlyMap<Stays, number>
}

/** `document` is the number in the catalog. A row whose action is `blocked` has the intent that it cannot have. */
export type Row = {
  readonly action: 'create' | 'replace' | 'delete' | 'upload' | 'blocked'
  readonly intent: Intent
  readonly document: number
  readonly id: string
  readonly type: string
  readonly reason?: string
}

/**
 * Makes the plan of a restore: what is chosen and differs, with what has to come along, without what cannot be; in the order of the ids. Takes time in
 * proportion to the documents and their references.
 */
export function makePlan(needs: PlanNeeds): Plan {
  const documents = inOrderOfIds(needs.catalog)
  const intents = findIntents(needs, documents)
  bringAlong(intents, needs)
  blockImpossible(intents, needs, documents)
  return { rows: rowsOf(intents, needs, documents), unchanged: intents.unchanged.size, stays: intents.stays }
}

/**
 * A chosen document may refer to one that is not chosen and that the target lacks: then that one comes too, and what it refers to. So does the release
 * of a version.
 */
function bringAlong(intents: Intents, needs: PlanNeeds): void {
  const { catalog, choice } = needs
  if (choice.types.length + choice.ids.length === 0) return
  const queue = [...[...intents.of.keys()].filter((document) => takesContent(intents.of.get(document))), ...intents.unchanged]
  for (const document of queue) {
    for (const reference of [...catalog.referencesOf('snapshot', document), ...releaseOf(document, needs)]) {
      const target = intents.originOf(reference)
      if (!catalog.has('snapshot', target) || intents.of.has(target) || intents.chosenOf(target) !== 'other') continue
      if (catalog.has('target', reference) && !isBareUpload(target, reference, needs)) continue
      wish(target, intents, needs)
      if (!intents.of.has(target)) continue
      if (!intents.reasons.has(target)) intents.reasons.set(target, `referred to by ${catalog.idOf(document)}`)
      queue.push(target)
    }
  }
}

/**
 * Whether the target has the file of an asset since after the snapshot, and nobody has written anything about it: a restore that was stopped leaves it so,
 * and what people wrote comes along like the file.
 */
function isBareUpload(document: number, there: number, { catalog, takenMs }: PlanNeeds): boolean {
  const named = { id: catalog.idOf(document), type: catalog.typeOf('snapshot', document) }
  return isAsset(named) && catalog.isUnfinished(there) && catalog.createdMsOf(there) > takenMs
}

/** The release that a document is a version of, if it is one. */
function releaseOf(document: number, { catalog }: PlanNeeds): number[] {
  const id = releaseOfVersion(catalog.idOf(document))
  const release = id === undefined ? undefined : catalog.numberOf(id)
  return release === undefined ? [] : [release]
}

/** Whether the document will have the snapshot's content, and so refer to what that refers to. */
function takesContent(intent: Intent | undefined): boolean {
  return intent !== undefined && intent !== 'delete'
}

/**
 * Blocks what strong references forbid, and then what that makes impossible in its turn: who would refer to something that cannot come, and the deletes
 * and changes of type of what a document refers to that stays as it is.
 */
function blockImpossible(intents: Intents, needs: PlanNeeds, documents: Int32Array): void {
  const { catalog } = needs
  const referrers = referrersOf(catalog, 'snapshot', documents)
  const queue = [...intents.blocked.keys()]
  const block = (document: number, reason: string) => {
    if (!intents.of.has(document) || intents.blocked.has(document)) return
    intents.blocked.set(document, reason)
    queue.push(document)
  }
  for (const document of documents) {
    const [release] = releaseOf(document, needs)
    if (release !== undefined && intents.blocked.has(release) && !catalog.has('target', release)) {
      block(document, `its release ${catalog.idOf(release)} cannot be restored`)
    }
    blockByItsReferences(document, { intents, needs, block })
  }
  for (const document of queue) {
    const id = catalog.idOf(document)
    const arrives = needs.newIds.get(document) ?? document
    // What would have come does not.
    if (!catalog.has('target', arrives)) {
      for (const referrer of referrers(arrives)) {
        if (takesContent(intents.of.get(referrer))) block(referrer, `refers to ${id}, which cannot be restored`)
      }
    }
    // What would have changed keeps its references.
    if (catalog.has('target', document)) holdOn(document, { intents, needs, block })
  }
}

type Blocking = {
  readonly intents: Intents
  readonly needs: PlanNeeds
  readonly block: (document: number, reason: string) => void
}

function blockByItsReferences(document: number, blocking: Blocking): void {
  const { intents, needs, block } = blocking
  const { catalog } = needs
  const intent = intents.of.get(document)
  if (intent === undefined) {
    if (catalog.has('target', document)) holdOn(document, blocking)
    return
  }
  if (!takesContent(intent)) return
  // Of these only some members are written.
  if (intent === 'mend-asset' || intent === 'edit-release') holdOn(document, blocking)
  for (const reference of catalog.referencesOf('snapshot', document)) {
    const origin = intents.originOf(reference)
    const target = catalog.idOf(origin)
    if (intents.of.get(reference) === 'delete') block(reference, `${catalog.idOf(document)}, which the snapshot holds, refers to it`)
    if (catalog.has('target', reference) || intents.of.has(origin)) continue
    const why = catalog.has('snapshot', origin) ? 'is not chosen' : 'is neither in the snapshot nor in the target'
    block(document, `refers to ${target}, which ${why}`)
  }
}

/** A document that stays as it is keeps what it refers to from being deleted, and from changing its type. */
function holdOn(document: number, { intents, needs, block }: Blocking): void {
  const { catalog } = needs
  for (const reference of catalog.referencesOf('target', document)) {
    const intent = intents.of.get(reference)
    if (reference === document) continue
    if (intent === 'delete') block(reference, `${catalog.idOf(document)}, which stays, refers to it`)
    else if (intent === 'retype') block(reference, `${catalog.idOf(document)}, which stays, refers to it, so that it must keep its type`)
  }
}

const actionOf: Record<Intent, Row['action']> = {
  create: 'create',
  'make-release': 'create',
  replace: 'replace',
  retype: 'replace',
  'mend-asset': 'replace',
  'edit-release': 'replace',
  delete: 'delete',
  upload: 'upload',
}

function rowsOf({ of, blocked, reasons }: Intents, { catalog }: PlanNeeds, documents: Int32Array): Row[] {
  const rows: Row[] = []
  for (const document of documents) {
    const intent = of.get(document)
    if (intent === undefined) continue
    const reason = blocked.get(document) ?? reasons.get(document)
    rows.push({
      action: blocked.has(document) ? 'blocked' : actionOf[intent],
      intent,
      document,
      id: catalog.idOf(document),
      type: catalog.typeOf(intent === 'delete' ? 'target' : 'snapshot', document),
      ...(reason === undefined ? {} : { reason }),
    })
  }
  return rows
}
