import type { RestoreOutcome } from '../../commands/restore/outcome.ts'
import type { Row } from '../../restore/plan.ts'
import { countRows } from '../../restore/rows.ts'
import { escapeMarkdown, formatAgo, formatCount, formatDuration, plural } from '../../text.ts'
import { folded, renderProblem, sections, table } from '../summary.ts'

/** The job summary of a restore, as Markdown: complete by itself, so that it is the report of a drill. Everything from outside is escaped. */
export function renderRestore(outcome: RestoreOutcome, docs: string | undefined): string {
  const { failure, target } = outcome
  return sections([
    `## Sanity restore of ${escapeMarkdown(target.dataset)}: ${verdict(outcome)}`,
    failure && renderProblem(failure, docs),
    facts(outcome),
    byType(outcome),
    blockedRows(outcome),
    ...firstRows(outcome),
    wayBack(outcome),
    next(outcome),
  ])
}

function verdict({ status, applied, plan, failure }: RestoreOutcome): string {
  if (failure && !applied) return `❌ ${failure.code === 'cancelled' ? 'cancelled' : 'refused'}, nothing was written`
  if (failure) return '❌ not finished'
  const { blocked } = countRows(plan)
  const rest = blocked > 0 ? `, ${plural(blocked, 'document')} cannot be restored` : ''
  const sign = blocked > 0 ? '⚠️' : '✅'
  if (status === 'unchanged') return `${sign} nothing to do, ${plural(plan.unchanged, 'document')} equal${rest}`
  if (status === 'planned') return `${sign} a plan of ${plural(plan.rows.length - blocked, 'change')}, nothing was written${rest}`
  return `${sign} restored, ${plural(applied?.proof?.equal ?? 0, 'document')} equal${rest}`
}

function facts(outcome: RestoreOutcome): string {
  const { chosen, manifest, target, ageMs, mirror, applied, startedAt, durationMs, planDigest } = outcome
  const { main } = chosen
  const where = escapeMarkdown(main.where)
  const rows: [string, string][] = [
    ['Into', `${escapeMarkdown(target.dataset)} of project ${escapeMarkdown(target.projectId)}${mirror ? ', as a mirror' : ''}`],
    ['From', `${escapeMarkdown(manifest.snapshot)} ${main.link ? `${where} ([look](${main.link}))` : where}`],
    ['Taken', `${escapeMarkdown(manifest.takenAt)}, ${formatAgo(ageMs)}`],
    ['Snapshot', 'every byte verified before anything else'],
    ...proofRow(outcome),
    ...(applied ? [['Written in', plural(applied.transactions, 'transaction')] as [string, string]] : []),
    ['Run', `${startedAt.toISOString().slice(0, 19)}Z, took ${formatDuration(durationMs)}`],
    ['Plan', `<code>${planDigest}</code>`],
  ]
  return table(['', ''], rows, 'words')
}

function proofRow({ applied }: RestoreOutcome): [string, string][] {
  if (!applied) return []
  const { proof } = applied
  if (proof === undefined) return [['Proof', 'the target was not read again']]
  const { equal, differs } = proof
  const rest = differs.length === 0 ? 'nothing differs' : `**${plural(differs.length, 'document')} differ**`
  return [['Proof', `read again: ${plural(equal, 'document')} equal, ${rest}`]]
}

/** So many types are listed. */
const shownTypes = 50
const actions = ['create', 'replace', 'delete', 'upload', 'blocked'] as const

function byType({ plan }: RestoreOutcome): string {
  const types = new Map<string, Record<Row['action'], number>>()
  for (const { type, action } of plan.rows) {
    const counts = types.get(type) ?? { create: 0, replace: 0, delete: 0, upload: 0, blocked: 0 }
    counts[action]++
    types.set(type, counts)
  }
  const all = countRows(plan)
  const total = (counts: Record<Row['action'], number>) => actions.reduce((sum, action) => sum + counts[action], 0)
  const used = actions.filter((action) => all[action] > 0)
  if (used.length === 0) return `Unchanged: ${plural(plan.unchanged, 'document')}.${stays(plan.stays)}`
  const cells = (counts: Record<Row['action'], number>) => used.map((action) => (counts[action] === 0 ? '' : formatCount(counts[action])))
  const sorted = [...types].toSorted(([, a], [, b]) => total(b) - total(a))
  const rows = sorted.slice(0, shownTypes).map(([type, counts]) => [escapeMarkdown(type), ...cells(counts)])
  const more = sorted.length > shownTypes ? [`${formatCount(sorted.length - shownTypes)} other types`] : []
  return [
    table(['type', ...used], [['**all**', ...cells(all)], ...rows]),
    `Unchanged: ${plural(plan.unchanged, 'document')}.${more.length > 0 ? ` Not listed: ${more[0]}.` : ''}${stays(plan.stays)}`,
  ].join('\n\n')
}

const stayWords = {
  filtered: 'the snapshot leaves out by its own filters',
  system: 'are Sanity’s own',
  asset: 'are assets',
  newer: 'were made while the snapshot was taken',
} as const

function stays(counts: RestoreOutcome['plan']['stays']): string {
  if (counts.size === 0) return ''
  const parts = [...counts].map(([why, count]) => `${plural(count, 'document')} that ${stayWords[why]}`)
  return ` Left alone: ${parts.join(', ')}.`
}

/** So many rows of an action are shown; the plan's file has all. */
const shownRows = 10

function firstRows({ plan }: RestoreOutcome): string[] {
  return (['create', 'replace', 'delete', 'upload'] as const).flatMap((action) => {
    const rows = plan.rows.filter((row) => row.action === action)
    if (rows.length === 0) return []
    const title = `${headings[action]}: ${rows.length > shownRows ? `the first ${shownRows} of ` : ''}${formatCount(rows.length)}`
    return [folded(title, listOf(rows.slice(0, shownRows)))]
  })
}

const headings = { create: 'To create', replace: 'To replace', delete: 'To delete', upload: 'To upload' } as const

function blockedRows({ plan }: RestoreOutcome): string | undefined {
  const rows = plan.rows.filter(({ action }) => action === 'blocked')
  if (rows.length === 0) return undefined
  const more = rows.length > shownBlocked ? `\n\nAnd ${plural(rows.length - shownBlocked, 'more document')}.` : ''
  return `### Cannot be restored\n\n${listOf(rows.slice(0, shownBlocked))}${more}`
}

const shownBlocked = 50

function listOf(rows: readonly Row[]): string {
  return rows
    .map(({ id, type, reason }) => {
      const why = reason === undefined ? '' : `: ${escapeMarkdown(reason, 400)}`
      return `- <code>${escapeMarkdown(id, 150)}</code> (${escapeMarkdown(type, 80)})${why}`
    })
    .join('\n')
}

function wayBack({ applied, target }: RestoreOutcome): string | undefined {
  const { safety, kept } = applied ?? {}
  const journal = kept === undefined ? [] : [`The plan and the journal are kept as the artifact <code>${escapeMarkdown(kept)}</code>.`]
  if (safety === undefined) return journal.length > 0 ? `### Afterwards\n\n${journal[0]}` : undefined
  return [
    '### To undo this restore',
    `The dataset as it was before is the artifact [${escapeMarkdown(safety.name)}](${safety.url}). Restore it with:`,
    ['```yaml', `artifact-name: ${safety.name}`, 'mode: apply', `confirm: ${target.dataset}`, "mirror: 'true'", '```'].join('\n'),
    ...journal,
  ].join('\n\n')
}

function next({ status, failure, target, planDigest, plan }: RestoreOutcome): string | undefined {
  if (status !== 'planned' || failure || plan.rows.length === 0) return undefined
  return [
    '### To carry this plan out',
    'Run it again with an Editor token and:',
    [
      '```yaml',
      'mode: apply',
      `confirm: ${target.dataset}`,
      `plan-digest: ${planDigest}`,
      ...(countRows(plan).blocked > 0 ? ['on-blocked: warn # restores all but what is blocked'] : []),
      '```',
    ].join('\n'),
  ].join('\n\n')
}
