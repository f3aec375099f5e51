import type { ErrorCode } from '../../src/errors.ts'
import type { SanityDocument } from '../doubles/sanity/data/store.ts'
import type { Sanity, SanityOptions } from '../doubles/sanity/sanity.ts'

/** One fault, and how a backup has to end under it. */
export type Row = {
  /** The number of the fault in the table of docs/reliability.md. */
  readonly id: string
  readonly name: string
  /** What the dataset holds. Default: {@link sixtyDocuments}. */
  readonly dataset?: Pick<SanityOptions, 'documents' | 'lines' | 'pageDocuments' | 'tokens'>
  /** Makes Sanity misbehave; called anew for each contender. */
  readonly arrange?: (sanity: Sanity) => void
  /** What else is set up: a server, a full disk. Called anew for each contender. */
  readonly place?: (folder: string, sanity: Sanity) => Promise<Place>
  /** Another address than that of the emulated Sanity. */
  readonly url?: string
  /** Another token than the Viewer's. */
  readonly token?: string
  /** A whole snapshot (green), or this error. */
  readonly ours: 'whole' | ErrorCode
  /** What a good run has to say all the same. */
  readonly says?: RegExp
  /** Which lines a whole snapshot has, of those that the dataset holds. Default: all. */
  readonly whole?: (lines: readonly Buffer[]) => readonly Buffer[]
  readonly inputs?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  /** Both in pages. */
  readonly mode?: 'cursor'
  /** Sent when the export has been asked for, and so many milliseconds later. */
  readonly signal?: { readonly name: 'SIGINT' | 'SIGTERM' | 'SIGKILL'; readonly afterMs: number }
  /** When a contender counts as hanging, in seconds. */
  readonly limit?: { readonly ours?: number; readonly exporter?: number }
  /** The most memory that ours may take, in bytes. */
  readonly peakRssBytes?: number
}

/** What a row needs of the machine. */
export type Place = AsyncDisposable & {
  readonly url?: string
  readonly env?: Readonly<Record<string, string>>
  /** Where the contender puts everything that it writes. */
  readonly output?: string
  /** How many requests came that must never come. */
  readonly betrayed?: () => number
}

/** Enough for several pages, and small enough to be read at a glance. */
export const sixtyDocuments: readonly SanityDocument[] = Array.from({ length: 60 }, (_, index) => ({
  _id: `post-${String(index).padStart(2, '0')}`,
  _type: 'post',
  _rev: 'r1',
  title: `Número ${index}: naïve 日本 😀`,
  body: 'x'.repeat(200),
}))
