import { type Change, History } from './history.ts'
import { parseExactly, sortKeys } from './json.ts'
import { ReferenceIndex, referencesOf } from './references.ts'

export type SanityDocument = { readonly _id: string; readonly _type: string; readonly [key: string]: unknown }

/** One line of an export, without its line end; `id`, `type` and `document` are missing if the line is not a document. */
export type Entry = {
  readonly line: Buffer
  readonly id?: string | undefined
  readonly type?: string | undefined
  readonly document?: SanityDocument | undefined
}

/** Lines that are made while they are sent, so that a dataset may be larger than memory. Called once for each export request. */
type Generated = {
  readonly lines: () => Iterable<Buffer | string> | AsyncIterable<Buffer | string>
  /** What every `count` query answers: the number of documents whose id does not begin with `_.`. */
  readonly count: number
}

export type DatasetOptions = {
  readonly aclMode?: 'public' | 'private'
  readonly documents?: Iterable<SanityDocument>
  /** Bytes of whole lines, without line ends, to be exported exactly so. Those that parse are documents to all other routes. */
  readonly lines?: Iterable<Buffer | string>
  readonly generated?: Generated
  /** Keeps the bytes of each document only and parses them when they are asked for: for datasets of a gigabyte. */
  readonly compact?: boolean
}

export type StoredAsset = {
  readonly bytes: Buffer
  readonly contentType: string
  readonly sha1: string
  readonly md5: string
  /** When the file goes, after its document was deleted; milliseconds since the epoch. */
  readonly goneAt?: number
}

/** The documents of one dataset in the order in which an export sends them. */
export class Dataset {
  readonly name: string
  readonly generated: Generated | undefined
  readonly compact: boolean
  readonly assets = new Map<string, StoredAsset>()
  readonly history = new History()
  aclMode: 'public' | 'private'
  /** How long queries do not see a write. */
  indexLagMs = 0
  /** How long a file outlives its document. */
  deletedFileMs = 0
  readonly #entries = new Map<string, StoredEntry>()
  #list: readonly Entry[] | undefined
  /** Made at the first write only: large datasets that are merely exported need no index. */
  #references: ReferenceIndex | undefined
  readonly #recent: { readonly at: number; readonly id: string; readonly before: Entry | undefined }[] = []
  #later: { readonly at: number; readonly run: () => void }[] = []

  constructor(name: string, { aclMode = 'private', documents = [], lines = [], generated, compact = false }: DatasetOptions) {
    this.name = name
    this.aclMode = aclMode
    this.generated = generated
    this.compact = compact
    for (const document of documents) this.#add(new StoredEntry(Buffer.from(JSON.stringify(document)), document, !compact))
    for (const line of lines) this.#add(entryOf(line, !compact))
  }

  get entries(): readonly Entry[] {
    this.#list ??= [...this.#entries.values()]
    return this.#list
  }

  documents(): SanityDocument[] {
    return this.entries.flatMap((entry) => entry.document ?? [])
  }

  /** The documents as queries see them. */
  indexed(): readonly SanityDocument[] {
    const since = performance.now() - this.indexLagMs
    const unseen = this.#recent.filter(({ at }) => at > since)
    const before = new Map(unseen.toReversed().map((change) => [change.id, change.before]))
    const seen = this.entries.filter(({ id }) => id === undefined || !before.has(id))
    return [...seen, ...before.values()].flatMap((entry) => entry?.document ?? [])
  }

  has(id: string): boolean {
    return this.#entries.has(id)
  }

  find(id: string): SanityDocument | undefined {
    return this.#entries.get(id)?.document
  }

  typeOf(id: string): string | undefined {
    return this.#entries.get(id)?.type
  }

  lineOf(id: string): Buffer | undefined {
    return this.#entries.get(id)?.line
  }

  /** Ids of the documents with strong references to this one. */
  referrers(id: string): ReadonlySet<string> {
    if (!this.#references) {
      this.#references = new ReferenceIndex()
      for (const { id: source, targets } of this.#entries.values()) if (source) this.#references.add(source, targets)
    }
    return this.#references.referrers(id)
  }

  /** Replaces the content at once and leaves no trace in the history: for tests that change a dataset while an export runs. */
  put(document: SanityDocument): void {
    this.#set(document._id, document)
  }

  remove(id: string): void {
    this.#set(id, undefined)
  }

  /** Writes a transaction. */
  commit(
    transaction: { readonly id: string; readonly timestamp: string; readonly author: string },
    changes: Iterable<readonly [string, SanityDocument | undefined]>,
  ): void {
    const written: Change[] = []
    for (const [id, document] of changes) {
      const before = this.lineOf(id)
      // A file goes with its document: sanity.io docs, HTTP API, assets.
      if (!document) this.#expireFile(id)
      this.#set(id, document)
      written.push({ id, before, after: this.lineOf(id) })
    }
    this.history.record(transaction, written)
  }

  /** What is to happen by itself at a time; it does so before the next request is looked at. */
  later(at: number, run: () => void): void {
    this.#later = [...this.#later, { at, run }]
  }

  settle(): void {
    for (;;) {
      const now = Date.now()
      const due = this.#later.filter(({ at }) => at <= now).toSorted((a, b) => a.at - b.at)
      if (due.length === 0) return
      this.#later = this.#later.filter((each) => !due.includes(each))
      for (const { run } of due) run()
    }
  }

  #add(entry: StoredEntry): void {
    // A second line with the same id is exported too, and found by nobody.
    const free = entry.id !== undefined && !this.#entries.has(entry.id)
    this.#entries.set(free ? (entry.id ?? '') : `\n${this.#entries.size}`, entry)
  }

  #set(id: string, document: SanityDocument | undefined): void {
    const before = this.#entries.get(id)
    this.#list = undefined
    if (this.indexLagMs > 0) this.#remember(id, before)
    if (before) this.#references?.remove(id, before.targets)
    if (!document) {
      this.#entries.delete(id)
      return
    }
    const sorted = sortKeys(document)
    const entry = new StoredEntry(Buffer.from(JSON.stringify(sorted)), sorted, !this.compact)
    this.#entries.set(id, entry)
    this.#references?.add(id, entry.targets)
  }

  #expireFile(id: string): void {
    if (!/^sanity\.\w+Asset$/.test(this.typeOf(id) ?? '')) return
    const path = `/${this.find(id)?.['path']}`
    const file = this.assets.get(path)
    if (file) this.assets.set(path, { ...file, goneAt: Date.now() + this.deletedFileMs })
  }

  #remember(id: string, before: Entry | undefined): void {
    const since = performance.now() - this.indexLagMs
    const old = this.#recent.findIndex(({ at }) => at > since)
    this.#recent.splice(0, old < 0 ? this.#recent.length : old)
    this.#recent.push({ at: performance.now(), id, before })
  }
}

class StoredEntry implements Entry {
  readonly line: Buffer
  readonly id: string | undefined
  readonly type: string | undefined
  readonly #document: SanityDocument | undefined
  #targets: readonly string[] | undefined

  constructor(line: Buffer, document: SanityDocument | undefined, keep: boolean) {
    this.line = line
    this.id = document?._id
    this.type = document?._type
    this.#document = keep ? document : undefined
    if (!keep && document) this.#targets = referencesOf(document).strong
  }

  get document(): SanityDocument | undefined {
    if (this.#document || this.id === undefined) return this.#document
    return parseExactly(this.line.toString('utf8')) as SanityDocument
  }

  /** Ids that this document refers to strongly. */
  get targets(): readonly string[] {
    this.#targets ??= referencesOf(this.document).strong
    return this.#targets
  }
}

export function entryOf(raw: Buffer | string, keep = true): StoredEntry {
  const line = Buffer.from(raw)
  try {
    const value = parseExactly(line.toString('utf8'))
    return new StoredEntry(line, isDocument(value) ? value : undefined, keep)
  } catch {
    return new StoredEntry(line, undefined, keep)
  }
}

function isDocument(value: unknown): value is SanityDocument {
  return typeof value === 'object' && value !== null && '_id' in value && typeof value._id === 'string' && '_type' in value
}
