import { growingDigests, growingInts } from './growing.ts'

/** The snapshot that is to come back, or the dataset that it is to come back into. */
export type Side = 'snapshot' | 'target'

/** What is known of a document on one side. */
export type Noted = {
  readonly id: string
  readonly type: string
  /** Of its content as it is compared: 16 bytes. */
  readonly digest: Buffer
  /** Of what an asset is compared by where it has another id; for assets alone. */
  readonly looseDigest?: Buffer | undefined
  /** The ids that it refers to strongly. */
  readonly references: readonly string[]
  /** How long its line is. */
  readonly bytes: number
  /** Of the target's documents: whether a restore has left it half there; of an asset, whether nobody has written anything about its file. */
  readonly unfinished?: boolean
  /** Of the target's documents: the revision, for the lock. */
  readonly revision?: string | undefined
  /** When it was made, in milliseconds: of the target's documents, and of those of the snapshot that are to have that time again. */
  readonly createdMs?: number | undefined
}

/**
 * Every document of both sides, by a number, with what a plan is made of: some 250 bytes each and nothing of the content. An id that is only referred
 * to has a number as well, and lies on neither side.
 */
export type Catalog = {
  /** Adds a document, or the same one again. */
  readonly note: (side: Side, noted: Noted) => void
  /** Forgets all documents of a side; their numbers stay. */
  readonly forget: (side: Side) => void
  /** Numbers are from 0 to this, not included. */
  readonly size: () => number
  readonly numberOf: (id: string) => number | undefined
  /** The number of an id; one that is new gets one. */
  readonly numberFor: (id: string) => number
  readonly idOf: (document: number) => string
  readonly has: (side: Side, document: number) => boolean
  /** Empty for one that is not there. */
  readonly typeOf: (side: Side, document: number) => string
  readonly bytesOf: (side: Side, document: number) => number
  /** Whether both have the same content, and the time that the snapshot says; where it says none, that is left to the server. */
  readonly isSame: (document: number) => boolean
  /** Whether the snapshot's asset `document` is what the target has as the asset `other`. */
  readonly isSameAsset: (document: number, other: number) => boolean
  /** Whether the target's document is to be finished; see {@link Noted}. */
  readonly isUnfinished: (document: number) => boolean
  readonly revisionOf: (document: number) => string
  readonly createdMsOf: (document: number) => number
  /** What a document refers to strongly. */
  readonly referencesOf: (side: Side, document: number) => Iterable<number>
}

/** Makes an empty {@link Catalog}. */
export function makeCatalog(): Catalog {
  const numbers = new Map<string, number>()
  const ids: string[] = []
  const types = wordList()
  const sides: Record<Side, OneSide> = { snapshot: makeSide(), target: makeSide() }
  const numberFor = (id: string): number => {
    const known = numbers.get(id)
    if (known !== undefined) return known
    numbers.set(id, ids.length)
    return ids.push(id) - 1
  }
  return {
    note: (side, noted) => {
      const references = noted.references.map(numberFor)
      sides[side].note(numberFor(noted.id), { ...noted, typeNumber: types.numberOf(noted.type), targets: references })
    },
    forget: (side) => {
      sides[side] = makeSide()
    },
    size: () => ids.length,
    numberOf: (id) => numbers.get(id),
    numberFor,
    idOf: (document) => ids[document] ?? '',
    has: (side, document) => sides[side].has(document),
    typeOf: (side, document) => types.word(sides[side].typeOf(document)),
    bytesOf: (side, document) => sides[side].bytesOf(document),
    isSame: (document) => {
      const createdMs = sides.snapshot.createdMsOf(document)
      const sameTime = Number.isNaN(createdMs) || createdMs === sides.target.createdMsOf(document)
      return sameTime && sides.snapshot.digests.same(document, sides.target.digests)
    },
    isSameAsset: (document, other) => {
      const [wanted, there] = [sides.snapshot.looseOf(document), sides.target.looseOf(other)]
      return wanted !== undefined && there !== undefined && wanted.equals(there)
    },
    isUnfinished: (document) => sides.target.unfinished.has(document),
    revisionOf: (document) => sides.target.revisionOf(document),
    createdMsOf: (document) => sides.target.createdMsOf(document),
    referencesOf: (side, document) => sides[side].referencesOf(document),
  }
}

/** The few words that many documents share, by numbers from 1. */
function wordList(): { readonly numberOf: (word: string) => number; readonly word: (number: number) => string } {
  const numbers = new Map<string, number>()
  const words = ['']
  return {
    numberOf: (word) => {
      const known = numbers.get(word)
      if (known !== undefined) return known
      numbers.set(word, words.length)
      return words.push(word) - 1
    },
    word: (number) => words[number] ?? '',
  }
}

type NumberedNote = Noted & { readonly typeNumber: number; readonly targets: readonly number[] }
type OneSide = ReturnType<typeof makeSide>

/** What is known of the documents of one side; a type of 0 means that a document is not there. */
function makeSide() {
  const types = growingInts()
  const digests = growingDigests(16)
  const bytes = growingInts()
  const loose = new Map<number, Buffer>()
  const unfinished = new Set<number>()
  const revisions: string[] = []
  const created: number[] = []
  // The references of all documents in one list: where those of a document begin, and how many there are.
  const starts = growingInts()
  const counts = growingInts()
  const targets = growingInts()
  let used = 0
  return {
    digests,
    unfinished,
    has: (document: number) => types.at(document) > 0,
    typeOf: types.at,
    bytesOf: bytes.at,
    looseOf: (document: number) => loose.get(document),
    revisionOf: (document: number) => revisions[document] ?? '',
    createdMsOf: (document: number) => created[document] ?? Number.NaN,
    note: (document: number, noted: NumberedNote) => {
      types.set(document, noted.typeNumber)
      digests.set(document, noted.digest)
      bytes.set(document, noted.bytes)
      if (noted.looseDigest) loose.set(document, noted.looseDigest)
      if (noted.unfinished) unfinished.add(document)
      if (noted.revision !== undefined) revisions[document] = noted.revision
      if (noted.createdMs !== undefined) created[document] = noted.createdMs
      starts.set(document, used)
      counts.set(document, noted.targets.length)
      for (const target of noted.targets) targets.set(used++, target)
    },
    referencesOf: function* (document: number) {
      const start = starts.at(document)
      for (let place = start; place < start + counts.at(document); place++) yield targets.at(place)
    },
  }
}

/** The numbers of all documents by the order of their ids: Sanity sends documents in any order, and what follows from them must not depend on it. */
export function inOrderOfIds(catalog: Catalog): Int32Array {
  const order = Int32Array.from({ length: catalog.size() }, (_, document) => document)
  return order.sort((one, other) => (catalog.idOf(one) < catalog.idOf(other) ? -1 : 1))
}

/** Which documents refer to one, for one side of a catalog as it is now; in the order of `documents`, which are all of them. */
export function referrersOf(catalog: Catalog, side: Side, documents: Int32Array): (document: number) => Iterable<number> {
  const size = catalog.size()
  const starts = new Int32Array(size + 1)
  for (let document = 0; document < size; document++) {
    for (const target of catalog.referencesOf(side, document)) starts[target + 1] = (starts[target + 1] ?? 0) + 1
  }
  for (let document = 0; document < size; document++) starts[document + 1] = (starts[document + 1] ?? 0) + (starts[document] ?? 0)
  const places = starts.slice()
  const referrers = new Int32Array(starts[size] ?? 0)
  for (const document of documents) {
    for (const target of catalog.referencesOf(side, document)) {
      const place = places[target] ?? 0
      referrers[place] = document
      places[target] = place + 1
    }
  }
  return (document) => referrers.subarray(starts[document] ?? 0, starts[document + 1] ?? 0)
}
