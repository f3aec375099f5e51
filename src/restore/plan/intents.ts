import type { Catalog } from './catalog.ts'
import { type Choice, type Chosen, chooser, type MirrorRules, type Stays, stayRules } from './choice.ts'
import { isAsset } from './look.ts'
import { isRelease, judgeRelease, type Release, releaseOfVersion } from './release.ts'

/** What is to become of a document: `retype` is a replacement by another `_type`; of assets the file comes first, or only what people wrote is mended. */
export type Intent = 'create' | 'replace' | 'retype' | 'delete' | 'upload' | 'mend-asset' | 'make-release' | 'edit-release'

/** Where the file of an asset is that the target lacks. */
export type AssetSource = 'snapshot' | 'host' | { readonly nowhere: string }

/** What a plan is made of. Documents are numbers of the catalog. */
export type PlanNeeds = {
  readonly catalog: Catalog
  readonly choice: Choice
  /** Undefined: what the snapshot lacks stays. */
  readonly mirror: MirrorRules | undefined
  /** Of the assets that the target lacks. */
  readonly assets: ReadonlyMap<number, AssetSource>
  /** Assets of the snapshot that come back, or came back, under another id; with the number of that one. */
  readonly newIds: ReadonlyMap<number, number>
  readonly releases: { readonly snapshot: ReadonlyMap<number, Release>; readonly target: ReadonlyMap<number, Release> }
  /** What a plan was made for that was carried out: these are looked at again, chosen or not. */
  readonly again: ReadonlySet<number>
  /** When the snapshot was taken, in milliseconds. */
  readonly takenMs: number
  /** Documents that no mutation can hold, with the reason. */
  readonly unwritable: ReadonlyMap<number, string>
}

/** What is to become of each document; what is in none of these stays as it is, or is not chosen. */
export type Intents = {
  readonly of: Map<number, Intent>
  /** Why a row is there, or why it is blocked. */
  readonly reasons: Map<number, string>
  readonly blocked: Map<number, string>
  readonly unchanged: Set<number>
  /** What a mirror leaves alone, by the reason. */
  readonly stays: Map<Stays, number>
  readonly chosenOf: (document: number) => Chosen
  /** The asset of the snapshot that is meant by a number: the same one, or the one that has this number as its new id. */
  readonly originOf: (document: number) => number
}

/** Says of each document by itself what is to become of it, whatever refers to what. */
export function findIntents(needs: PlanNeeds, documents: Int32Array): Intents {
  const { catalog } = needs
  const choose = chooser(needs.choice)
  const origins = originsOf(needs, documents)
  const nameOf = (document: number) => ({
    id: catalog.idOf(document),
    type: catalog.typeOf(catalog.has('snapshot', document) ? 'snapshot' : 'target', document),
  })
  const { excludeTypes } = needs.choice
  const intents: Intents = {
    of: new Map(),
    reasons: new Map(),
    blocked: new Map(),
    unchanged: new Set(),
    stays: new Map(),
    // Of a document whose type would change both count: what is to be left alone is what is there.
    chosenOf: (document) => {
      if (excludeTypes.includes(catalog.typeOf('target', document))) return 'unwanted'
      const name = nameOf(document)
      const chosen = choose(name)
      // What a restore has left half there is finished by the next one, whatever that one chooses.
      const goesOn = needs.again.has(document) || (catalog.isUnfinished(document) && !isAsset(name))
      return chosen === 'other' && goesOn ? 'chosen' : chosen
    },
    originOf: (document) => origins.get(document) ?? document,
  }
  const staysOf = needs.mirror && stayRules(needs.mirror)
  for (const document of documents) {
    if (catalog.has('snapshot', document)) {
      if (intents.chosenOf(document) === 'chosen') wish(document, intents, needs)
    } else if (staysOf && catalog.has('target', document) && intents.chosenOf(document) === 'chosen') {
      const why = staysOf(nameOf(document), catalog.createdMsOf(document))
      if (why === undefined) wishDelete(document, intents, needs)
      else intents.stays.set(why, (intents.stays.get(why) ?? 0) + 1)
    }
  }
  return intents
}

/** Which asset of the snapshot an asset will be. Where several would become the same one, it is the one that has its id already, else the first. */
function originsOf({ catalog, newIds }: PlanNeeds, documents: Int32Array): Map<number, number> {
  const origins = new Map<number, number>()
  for (const document of documents) {
    const anew = newIds.get(document)
    if (anew !== undefined && !origins.has(anew)) origins.set(anew, catalog.has('snapshot', anew) ? anew : document)
  }
  return origins
}

/** Notes what is to become of a document of the snapshot. */
export function wish(document: number, intents: Intents, needs: PlanNeeds): void {
  const { catalog } = needs
  const [id, type] = [catalog.idOf(document), catalog.typeOf('snapshot', document)]
  if (isRelease(id)) wishRelease(document, intents, needs)
  else if (isAsset({ id, type })) wishAsset(document, intents, needs)
  else if (catalog.has('target', document) && catalog.isSame(document) && catalog.typeOf('target', document) === type) {
    intents.unchanged.add(document)
  } else wishDocument(document, intents, needs)
}

function wishDocument(document: number, intents: Intents, { catalog, releases, unwritable }: PlanNeeds): void {
  const type = catalog.typeOf('snapshot', document)
  if (!catalog.has('target', document)) intents.of.set(document, 'create')
  else intents.of.set(document, catalog.typeOf('target', document) === type ? 'replace' : 'retype')
  const id = catalog.idOf(document)
  const reason = whyNoId(id) ?? unwritable.get(document) ?? lockedBy(id, { catalog, releases })
  if (reason !== undefined) intents.blocked.set(document, reason)
}

function wishDelete(document: number, intents: Intents, needs: PlanNeeds): void {
  intents.of.set(document, 'delete')
  const reason = lockedBy(needs.catalog.idOf(document), needs)
  if (reason !== undefined) intents.blocked.set(document, reason)
}

function whyNoId(id: string): string | undefined {
  if (!canBeId(id)) return 'Sanity takes no such id'
  return id.startsWith('_.') ? 'it is Sanity’s own, and only Sanity writes it' : undefined
}

/** `@sanity/client` src/validators.ts; upper case is taken as well: `@sanity/import` src/documentHasErrors.ts. */
function canBeId(id: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(id) && !id.includes('..') && !id.endsWith('.')
}

/** The documents of a release can be written only while it is active: sanity-io/sanity issues 8822 and 10595. */
function lockedBy(id: string, { catalog, releases }: Pick<PlanNeeds, 'catalog' | 'releases'>): string | undefined {
  const release = releaseOfVersion(id)
  const there = release === undefined ? undefined : releases.target.get(catalog.numberOf(release) ?? -1)
  if (!there || there.state === 'active') return undefined
  const cure = there.state.startsWith('schedul')
    ? ': take it off the schedule in the Studio first'
    : ', and only those of an active one can be written'
  return `its release is ${there.state} in the target${cure}`
}

function wishRelease(document: number, intents: Intents, { catalog, releases }: PlanNeeds): void {
  const wanted = releases.snapshot.get(document)
  if (wanted === undefined) return
  const verdict = judgeRelease(wanted, releases.target.get(document), catalog.isSame(document))
  if (verdict.kind === 'same') {
    intents.unchanged.add(document)
    return
  }
  const there = catalog.has('target', document)
  intents.of.set(document, there ? 'edit-release' : 'make-release')
  if (verdict.kind === 'no') intents.blocked.set(document, verdict.reason)
  else if (verdict.reason !== undefined) intents.reasons.set(document, verdict.reason)
}

function wishAsset(document: number, intents: Intents, { catalog, assets, newIds }: PlanNeeds): void {
  const anew = newIds.get(document)
  if (catalog.has('target', document)) {
    if (catalog.isSame(document)) intents.unchanged.add(document)
    else intents.of.set(document, 'mend-asset')
    return
  }
  if (anew !== undefined && intents.originOf(anew) !== document) {
    // It is one with another asset, which comes for both.
    intents.unchanged.add(document)
    return
  }
  if (anew !== undefined && catalog.has('target', anew)) {
    if (catalog.isSameAsset(document, anew)) intents.unchanged.add(document)
    else intents.of.set(document, 'mend-asset')
    intents.reasons.set(document, `it is ${catalog.idOf(anew)} in the target`)
    return
  }
  intents.of.set(document, 'upload')
  const source = assets.get(document) ?? { nowhere: 'its file is neither in the snapshot nor at Sanity’s asset host' }
  if (typeof source === 'object') intents.blocked.set(document, source.nowhere)
  else if (anew !== undefined) intents.reasons.set(document, `it comes back as ${catalog.idOf(anew)}`)
}
