import type { RestoreOutcome } from '../../commands/restore/outcome.ts'
import type { Row } from '../../restore/plan/plan.ts'
import { countRows, isOfNothing } from '../../restore/plan/rows.ts'
import { escapeMarkdown, formatAgo, formatCount, formatDuration, plural } from '../../text.ts'
import { doorAddress } from '../links.ts'
import { folded, renderProblem, secret, sections, table } from '../summary.ts'

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
    wayBack(outcome, docs),
    next(outcome),
    details(outcome),
  ])
}

function verdict({ applied, plan, failure }: RestoreOutcome): string {
  if (failure && !applied) return `❌ ${failure.code === 'cancelled' ? 'cancelled' : 'refused'}, nothing was written`
  if (failure) return '❌ not finished'
  const counts = countRows(plan)
  const rest = counts.blocked > 0 ? `, ${plural(counts.blocked, 'document')} cannot be restored` : ''
  const sign = counts.blocked > 0 ? '⚠️' : '✅'
  if (applied) return `${sign} restored, ${plural(applied.proof?.equal ?? 0, 'document')} equal${rest}`
  const steps = actions.filter((action) => action !== 'blocked' && counts[action] > 0)
  if (isOfNothing(plan)) return '⚠️ nothing to restore: no document of the snapshot is chosen'
  if (steps.length === 0) return `${sign} nothing to do, ${plural(plan.unchanged, 'document')} equal${rest}`
  return `${sign} a plan: ${steps.map((action) => `${formatCount(counts[action])} to ${action}`).join(', ')}${rest}`
}

/** What a reader looks for first: whether anything was written, the proof, where it came from and where it went, and when. */
function facts(outcome: RestoreOutcome): string {
  const { chosen, manifest, target, ageMs, mirror, startedAt, durationMs } = outcome
  const { main } = chosen
  const where = escapeMarkdown(main.where)
  const taken = escapeMarkdown(manifest.takenAt)
  return [
    proof(outcome),
    `**From:** the snapshot of ${taken}, ${formatAgo(ageMs)}, ${main.link ? `${where} ([look](${main.link}))` : where}. Every byte of it was verified.`,
    `**Into:** ${escapeMarkdown(target.dataset)} of project ${escapeMarkdown(target.projectId)}${mirror ? ', as an exact mirror' : '; what the snapshot lacks stays'}.`,
    `**Run:** ${startedAt.toISOString().slice(0, 19)}Z, took ${formatDuration(durationMs)}.`,
  ].join('<br>\n')
}

function proof({ applied, failure, status }: RestoreOutcome): string {
  if (!applied) return status === 'unchanged' && !failure ? '**Nothing was written:** there was nothing to do.' : '**Nothing was written.**'
  if (applied.proof === undefined) return '**Proof:** none, the dataset was not read again.'
  const { equal, differs } = applied.proof
  const rest =
    differs.length === 0 ? 'nothing differs' : `**${plural(differs.length, 'document')} ${differs.length === 1 ? 'differs' : 'differ'}**`
  return `**Proof:** the dataset was read again: ${plural(equal, 'document')} equal, ${rest}.`
}

function details({ manifest, planDigest, applied }: RestoreOutcome): string {
  const rows: [string, string][] = [
    ['Snapshot', escapeMarkdown(manifest.snapshot)],
    ['Plan', `<code>${planDigest}</code>`],
    ...(applied ? [['Written in', plural(applied.transactions, 'transaction')] as [string, string]] : []),
    ...(applied?.kept === undefined
      ? []
      : [['Plan and journal', `artifact <code>${escapeMarkdown(applied.kept)}</code>`] as [string, string]]),
  ]
  return folded('Details: snapshot, plan, transactions', table(['', ''], rows, 'words'))
}

/** So many types are listed. */
const shownTypes = 50
const actions = ['create', 'replace', 'delete', 'upload', 'blocked'] as const
const planWords = { create: 'to create', replace: 'to replace', delete: 'to delete', upload: 'to upload', blocked: 'blocked' } as const
/** After a restore that did all of it. */
const doneWords = { create: 'created', replace: 'replaced', delete: 'deleted', upload: 'uploaded', blocked: 'blocked' } as const

function byType({ plan, applied, failure }: RestoreOutcome): string {
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
    table(['type', ...used.map((action) => (applied && !failure ? doneWords : planWords)[action])], [['**all**', ...cells(all)], ...rows]),
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

function firstRows({ plan, applied, failure }: RestoreOutcome): string[] {
  return (['create', 'replace', 'delete', 'upload'] as const).flatMap((action) => {
    const rows = plan.rows.filter((row) => row.action === action)
    if (rows.length === 0) return []
    const words = (applied && !failure ? doneWords : planWords)[action]
    const title = `${words[0]?.toUpperCase()}${words.slice(1)}: ${rows.length > shownRows ? `the first ${shownRows} of ` : ''}${formatCount(rows.length)}`
    return [folded(title, listOf(rows.slice(0, shownRows)))]
  })
}

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

function wayBack({ applied, target }: RestoreOutcome, docs: string | undefined): string | undefined {
  const { safety } = applied ?? {}
  if (safety === undefined) return undefined
  const [, runId] = /\/runs\/(\d+)\//.exec(safety.url) ?? []
  const inputs = [
    `project-id: ${target.projectId}`,
    `dataset: ${target.dataset}`,
    `token: ${secret('SANITY_RESTORE_TOKEN')}`,
    `artifact-name: ${safety.name}`,
    ...(runId === undefined ? [] : [`run-id: '${runId}'`]),
    ...(safety.encrypted ? [`identity: ${secret('SANITY_BACKUP_IDENTITY')}`] : []),
    'mirror: true',
    '# Look at the plan first. To carry it out:',
    '# mode: apply',
    `# confirm: ${target.dataset}`,
  ]
  return [
    '### To undo this restore',
    `The dataset as it was before is kept as the artifact [${escapeMarkdown(safety.name)}](${safety.url}). This step restores it:`,
    ['```yaml', `- uses: ${doorAddress('restore', docs)}`, '  with:', ...inputs.map((line) => `    ${line}`), '```'].join('\n'),
  ].join('\n\n')
}

function next({ status, failure, target, planDigest, plan, manifest }: RestoreOutcome): string | undefined {
  if (status !== 'planned' || failure || !plan.rows.some(({ action }) => action !== 'blocked')) return undefined
  return [
    '### To carry this plan out',
    'Run it again with the same inputs, a token with the Editor role, and:',
    [
      '```yaml',
      'mode: apply',
      `confirm: ${target.dataset}`,
      `plan-digest: ${planDigest}`,
      ...(countRows(plan).blocked > 0 ? ['on-blocked: warn # restores all but what is blocked'] : []),
      '```',
    ].join('\n'),
    `If a newer backup may come in between, add \`at: ${escapeMarkdown(manifest.takenAt)}\` (not beside \`commit\`): it keeps to this snapshot.`,
  ].join('\n\n')
}
