import { formatCount, quoteOutside } from '../../text.ts'

/** How much a finding matters: an `error` makes a snapshot one that cannot be relied on, a `warning` is something to know. */
type Severity = 'error' | 'warning'

/** All kinds of findings, in the order in which they are told. */
const severities = {
  'shard-missing': 'error',
  'file-missing': 'error',
  'file-unexpected': 'error',
  'size-differs': 'error',
  'digest-differs': 'error',
  'content-differs': 'error',
  'content-unreadable': 'error',
  'line-invalid': 'error',
  'duplicate-id': 'error',
  'documents-differ': 'error',
  'assets-differ': 'error',
  'asset-not-its-hash': 'error',
  'too-old': 'error',
  'assets-missing': 'warning',
  'reference-dangling': 'warning',
  'expires-soon': 'warning',
  'needs-new-ids': 'warning',
} as const satisfies Record<string, Severity>

export type FindingKind = keyof typeof severities

/** One thing that verify found wrong. `message` is a whole sentence without its full stop, and harmless; `path` is the file's, below the snapshot's folder. */
export type Finding = {
  readonly kind: FindingKind
  readonly severity: Severity
  readonly message: string
  readonly path?: string
}

/** Makes a finding about a file: `says` goes on after the file's name. */
export function fileFinding(kind: FindingKind, path: string, says: string): Finding {
  return { kind, severity: severities[kind], message: `${quoteOutside(path)} ${says}`, path }
}

/** Makes a finding about the snapshot as a whole. */
export function finding(kind: FindingKind, message: string): Finding {
  return { kind, severity: severities[kind], message }
}

/** Takes findings, however many there are. */
export type Findings = {
  readonly add: (...findings: readonly Finding[]) => void
  /** Counts findings of a kind that are not told one by one. */
  readonly addMore: (kind: FindingKind, count: number) => void
  /** Whether no more of a kind are told: whoever makes very many need not make them, only count them. */
  readonly isFull: (kind: FindingKind) => boolean
  /** By kind; of each the first ones, and how many more there are. */
  readonly result: () => Finding[]
}

/** So many of each kind are told. */
const mostOfKind = 20

/** Makes an empty list of {@link Findings}, which stays small however much is wrong. */
export function findingList(): Findings {
  const kinds = new Map<FindingKind, { readonly told: Finding[]; more: number }>()
  const ofKind = (kind: FindingKind) => {
    const known = kinds.get(kind) ?? { told: [], more: 0 }
    kinds.set(kind, known)
    return known
  }
  return {
    add: (...findings) => {
      for (const each of findings) {
        const list = ofKind(each.kind)
        if (list.told.length < mostOfKind) list.told.push(each)
        else list.more++
      }
    },
    addMore: (kind, count) => {
      if (count > 0) ofKind(kind).more += count
    },
    isFull: (kind) => ofKind(kind).told.length >= mostOfKind,
    result: () =>
      (Object.keys(severities) as FindingKind[]).flatMap((kind) => {
        const { told, more } = kinds.get(kind) ?? { told: [], more: 0 }
        const sorted = told.toSorted((a, b) => compare(a.path ?? '', b.path ?? ''))
        return more === 0 ? sorted : [...sorted, finding(kind, `There are ${formatCount(more)} more of this kind`)]
      }),
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
