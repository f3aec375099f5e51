import type { VerifyOutcome } from '../../commands/verify/outcome.ts'
import { BackupError, reworded } from '../../errors.ts'
import type { Finding } from '../../format/findings/finding.ts'
import { escapeMarkdown, formatAgo, formatBytes, formatCount, formatDuration, plural, quoteOutside } from '../../text.ts'
import type { Ending } from '../ending.ts'
import { errorPage } from '../links.ts'
import { unexpected } from '../run-errors.ts'
import { renderProblem, sections, table } from '../summary.ts'
import { cureOf } from './cures.ts'

/** The ending of a verification that could look, whatever it found. */
export function verifyEnding(outcome: VerifyOutcome, docs: string | undefined): Ending {
  return { outputs: outputsOf(outcome), summary: () => renderVerify(outcome, docs), failure: failureOf(outcome) }
}

/** The ending of a verification that could not look. Takes whatever was thrown. */
export function verifyFailure(thrown: unknown, docs: string | undefined): Ending {
  const error = inOurWords(thrown instanceof BackupError ? thrown : unexpected(thrown))
  return { outputs: {}, summary: () => sections(['## Sanity verify: ❌ could not look', renderProblem(error, docs)]), failure: error }
}

/** The errors of a run that was ended speak of a backup. */
function inOurWords(error: BackupError): BackupError {
  if (error.code !== 'cancelled') return error
  return reworded(error, {
    title: error.title.replace('The backup', 'The verification'),
    hint: 'Run it again. If it was the time limit, raise `timeout-minutes`, or use `level: structure`, which reads no data.',
  })
}

function outputsOf({ chosen, findings, ageMs, path }: VerifyOutcome): Ending['outputs'] {
  const { main, parts } = chosen
  return {
    status: errorsIn(findings).length > 0 ? 'findings' : 'verified',
    findings: JSON.stringify(findings.slice(0, mostInOutput).map(inOutput)),
    snapshot: main.manifest.snapshot,
    'document-count': main.manifest.documents.count,
    'asset-count': assetCount(parts),
    'taken-at': main.manifest.takenAt,
    'age-hours': Math.floor(ageMs / hourMs),
    path: path ?? '',
  }
}

const hourMs = 3_600_000

/** More than there can be of all kinds together. All outputs of a job may have 1 MB. */
const mostInOutput = 400

/** Paths are names that anybody may have given to files. */
function inOutput({ kind, severity, message, path }: Finding): object {
  return { kind, severity, message: quoteOutside(message, 600), ...(path ? { path: quoteOutside(path, 200) } : {}) }
}

function errorsIn(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(({ severity }) => severity === 'error')
}

function assetCount(parts: VerifyOutcome['chosen']['parts']): number {
  return parts.reduce((sum, { manifest }) => sum + (manifest.assets?.count ?? 0), 0)
}

/** So many findings are in the annotation; the summary and the output have more. */
const annotated = 5

function failureOf({ chosen, findings }: VerifyOutcome): BackupError | undefined {
  const errors = errorsIn(findings)
  if (errors.length === 0) return undefined
  const { snapshot } = chosen.main.manifest
  const named = errors.slice(0, annotated).map(({ kind, message }) => `${kind}: ${message}`)
  const more = errors.length > named.length ? [`and ${plural(errors.length - named.length, 'more finding')}`] : []
  const onlyOld = errors.every(({ kind }) => kind === 'too-old')
  return new BackupError({
    code: 'verification-failed',
    title: onlyOld ? 'The newest snapshot is too old' : 'The snapshot is not whole',
    message: [`${snapshot} ${chosen.main.where}:`, ...named, ...more].join('\n'),
    hint: [...new Set(errors.map(({ kind }) => cureOf(kind)))].slice(0, 3).join(' '),
  })
}

/** The job summary, as Markdown. What came from outside is escaped; its length is that of the findings, of which there is a bound. */
function renderVerify(outcome: VerifyOutcome, docs: string | undefined): string {
  const { chosen, findings } = outcome
  const { snapshot, source, documents } = chosen.main.manifest
  const heading = `## Sanity backup of ${escapeMarkdown(source.dataset)}: ${verdict(outcome)}, ${plural(documents.count, 'document')}`
  const failure = failureOf(outcome)
  return sections([
    heading,
    `**${escapeMarkdown(snapshot)}**`,
    failure && `[\`${failure.code}\`](${errorPage(failure.code, docs)})`,
    facts(outcome),
    renderFindings(findings),
  ])
}

function verdict({ findings, level }: VerifyOutcome): string {
  const errors = errorsIn(findings)
  if (errors.length > 0) return errors.every(({ kind }) => kind === 'too-old') ? '❌ too old' : '❌ not whole'
  if (findings.length > 0) return `⚠️ verified, ${plural(findings.length, 'warning')}`
  return level === 'data' ? '✅ verified' : '✅ verified by names and sizes'
}

function facts({ chosen, level, ageMs, path, durationMs }: VerifyOutcome): string {
  const { main, parts, shards } = chosen
  const { takenAt, source, label } = main.manifest
  const sizeBytes = parts.flatMap(({ manifest }) => manifest.files).reduce((sum, file) => sum + file.sizeBytes, 0)
  const where = escapeMarkdown(main.where)
  const rows: [string, string][] = [
    ['Source', `${escapeMarkdown(source.dataset)} of project ${escapeMarkdown(source.projectId)}`],
    ...(label ? [['Label', escapeMarkdown(label)] as [string, string]] : []),
    ['Taken', `${escapeMarkdown(takenAt)}, ${formatAgo(ageMs)}`],
    ['Lies', main.link ? `${where} ([look](${main.link}))` : where],
    ...(main.keptUntil ? [['Kept until', escapeMarkdown(main.keptUntil)] as [string, string]] : []),
    ...(shards === undefined ? [] : [['Shards', `${parts.length} of ${shards}`] as [string, string]]),
    ['Assets', formatCount(assetCount(parts))],
    ['Size', formatBytes(sizeBytes)],
    ...(main.manifest.encryption == null ? [] : [['Encrypted to', recipients(main.manifest.encryption)] as [string, string]]),
    ['Verified', `${howMuch(level, main.manifest.encryption != null)}, in ${formatDuration(durationMs)}`],
    ...(path === undefined ? [] : [['Left in', escapeMarkdown(path)] as [string, string]]),
  ]
  return table(['', ''], rows, 'words')
}

function howMuch(level: VerifyOutcome['level'], isEncrypted: boolean): string {
  if (level === 'data') return isEncrypted ? 'every byte, and all that was encrypted' : 'every byte'
  return `the manifest, names and sizes; no data was read${isEncrypted ? ', and nothing was opened' : ''}`
}

/** So many are named. */
const mostRecipients = 5

function recipients({ recipients: all }: { readonly recipients: readonly string[] }): string {
  const named = all.slice(0, mostRecipients).map((each) => escapeMarkdown(each.slice(0, 80)))
  const more = all.length - named.length
  return `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

function renderFindings(findings: readonly Finding[]): string {
  if (findings.length === 0) return 'Nothing is wrong with it.'
  const rows = findings
    .slice(0, shownFindings)
    .map(
      ({ kind, severity, message }) => `| ${severity === 'error' ? '❌' : '⚠️'} \`${escapeMarkdown(kind)}\` | ${escapeMarkdown(message)} |`,
    )
  const more = findings.length > shownFindings ? [`And ${plural(findings.length - shownFindings, 'more finding')}.`] : []
  const kinds = [...new Set(findings.map(({ kind }) => kind))]
  return [
    '### Findings',
    ['| kind | what |', '| --- | --- |', ...rows].join('\n'),
    ...more,
    '### What to do',
    kinds.map((kind) => `- \`${escapeMarkdown(kind)}\`: ${cureOf(kind)}`).join('\n'),
  ].join('\n\n')
}

/** Each is at most some hundred characters, and a summary may have 1 MiB. */
const shownFindings = 200
