import { changesInWords, countDifferences, signedCount, type TypeChanges, totalOf } from '../../../format/compare.ts'
import type { Manifest, StoredManifest } from '../../../format/manifest/manifest.ts'
import { joinProgram } from '../../../snapshot/read/join.ts'
import { formatCount } from '../../../text.ts'

/** What a commit says: made of the input `commit-message`, and of what changed. */
type MessageNeeds = {
  readonly template: string
  readonly manifest: Manifest
  /** The snapshot that lay there before; undefined if there was none. */
  readonly previous: StoredManifest | undefined
  /** What became of the documents by type; undefined where only their numbers are known. */
  readonly byType: ReadonlyMap<string, TypeChanges> | undefined
  readonly clean: (text: string) => string
  /** Whether all files are read back before the branch is moved to the commit, and not only those that are new. */
  readonly whole: boolean
}

/** The line of a commit's message that names its snapshot. */
export function snapshotLine(snapshot: string): string {
  return `Snapshot: ${snapshot}`
}

/** The line of a commit's message which says that all files of the snapshot were read back, and not only new ones. */
export function wholeLine({ projectId, dataset }: Pick<Manifest['source'], 'projectId' | 'dataset'>): string {
  return `Read back whole: ${projectId}/${dataset}`
}

/**
 * The last paragraph of a message of ours. Whatever else looks like it stands above: in the input `commit-message`, or in what was taken over from
 * elsewhere.
 */
const facts = /\n\nSnapshot: \S+\nTaken at: (\S+)\n(?:Read back whole: (\S+)\n)?\n*$/

/** What the facts in a commit's message say of its snapshot; undefined if it is none of ours. */
export function takenAtIn(message: string): string | undefined {
  const [, takenAt = ''] = facts.exec(`${message}\n`) ?? []
  return Number.isNaN(Date.parse(takenAt)) ? undefined : takenAt
}

/** Whether the facts in a commit's message say that all files of a snapshot of this dataset were read back. */
export function saysWhole(message: string, { projectId, dataset }: Pick<Manifest['source'], 'projectId' | 'dataset'>): boolean {
  return facts.exec(`${message}\n`)?.[2] === `${projectId}/${dataset}`
}

/**
 * The message of a commit: the template filled in, and below it what changed. Types come from outside, and names may: they lose every character that
 * could mean something to GitHub (`[skip ci]`, `#1`, `@name`, trailers).
 */
export function commitMessage({ template, manifest, previous, byType, clean, whole }: MessageNeeds): string {
  const changed = byType === undefined ? differences({ manifest, previous, clean }) : changes(byType, clean)
  const lines = [snapshotLine(manifest.snapshot), `Taken at: ${manifest.takenAt}`, ...(whole ? [wholeLine(manifest.source)] : [])]
  return `${titleOf({ template, manifest, clean })}\n\n${changed.join('\n')}\n\n${lines.join('\n')}\n`
}

/** The message of the commit that puts the newest snapshot back on top of an older one. It is no restore point of its own, so it has no line of one. */
export function topMessage(needs: TitleNeeds): string {
  return `${titleOf(needs)}\n\nThe newest snapshot stays on top: ${plain(needs.manifest.snapshot, needs.clean)}\nThe commit below holds an older one that was stored after it.\n`
}

type TitleNeeds = Pick<MessageNeeds, 'template' | 'clean'> & { readonly manifest: StoredManifest }

function titleOf({ template, manifest, clean }: TitleNeeds): string {
  const values: Readonly<Record<string, string>> = {
    'project-id': manifest.source.projectId,
    dataset: manifest.source.dataset,
    count: String(manifest.documents.count),
    label: manifest.label ?? '',
    date: manifest.takenAt.slice(0, 10),
    snapshot: manifest.snapshot,
  }
  const filled = template.replace(/\{([a-z-]+)\}/g, (all, name: string) => {
    const value = values[name]
    return value === undefined ? all : value && plain(value, clean)
  })
  return filled
    .split(/\r?\n/)
    .map((line) => clean(line))
    .join('\n')
    .trim()
}

/** More types than this are summed up. */
const shownTypes = 50

function changes(byType: ReadonlyMap<string, TypeChanges>, clean: MessageNeeds['clean']): string[] {
  const total = totalOf(byType)
  if (total.created + total.changed + total.deleted === 0) return ['Documents: unchanged']
  return [
    `Documents: ${changesInWords(total)}`,
    ...shortened([...byType].map(([type, counts]) => `- ${plain(type, clean)}: ${changesInWords(counts)}`)),
  ]
}

function differences({ manifest, previous, clean }: Pick<MessageNeeds, 'manifest' | 'previous' | 'clean'>): string[] {
  if (previous === undefined) return ['The first snapshot of this dataset here']
  const all = countDifferences(manifest, previous)
  const difference = manifest.documents.count - previous.documents.count
  return [
    `Documents: ${signedCount(difference)}`,
    ...shortened(all.map(([type, count]) => `- ${plain(type, clean)}: ${signedCount(count)}`)),
  ]
}

function shortened(lines: readonly string[]): string[] {
  const rest = lines.length - shownTypes
  return rest > 0 ? [...lines.slice(0, shownTypes), `- and ${formatCount(rest)} other types`] : [...lines]
}

/** No name of ours is longer; a type may be. */
const longestName = 200

/** A piece of text from outside without secrets and markup. It is cleaned whole: a part of a secret is not known as one. */
function plain(text: string, clean: MessageNeeds['clean']): string {
  return (
    clean(text)
      .slice(0, longestName)
      .replace(/[^A-Za-z0-9._~ -]/g, '?') || '?'
  )
}

/** The page at the root of the branch, for people who find it. */
export const branchReadme = `# Sanity backups

This branch holds snapshots of [Sanity](https://www.sanity.io) datasets, made by sanity-backup.
Nobody needs to edit it. Each commit is a restore point: its message says what changed.

    <project-id>/<dataset>/manifest.json   what the newest snapshot holds
    <project-id>/<dataset>/documents/      one file for each document, or
    <project-id>/<dataset>/data.ndjson.gz  all documents in one file (perhaps in parts: .001, .002, …)

## Restore

With the action that made it, in a workflow. Its step \`sanity-backup/restore\` shows a plan before it writes anything:

    project-id: <project-id>
    dataset: <dataset>
    branch: <the name of this branch>
    at: <a day or time: the newest restore point up to then>

Without it, find the restore point, and get it into a folder (with your own project id, dataset and commit):

    git log --oneline -- <project-id>/<dataset>
    mkdir snapshot
    git archive <commit>:<project-id>/<dataset> | tar -x -C snapshot

If it holds the folder \`documents\`, put them together, without a change in any of them. Save this as \`join.cjs\`:

${indented(joinProgram)}

Then import them:

    node join.cjs > data.ndjson
    npx sanity@latest dataset import data.ndjson --project-id <project-id> --dataset <dataset> --replace

If it holds \`data.ndjson.gz.001\` and so on: \`cat snapshot/data.ndjson.gz.* > data.ndjson.gz\`. Then import \`data.ndjson.gz\`.
`

function indented(text: string): string {
  return text.replace(/^/gm, '    ')
}
