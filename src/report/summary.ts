import type { BackupError } from '../errors.ts'
import { escapeMarkdown } from '../text.ts'

/** Parts of a job summary, as Markdown. What comes from outside is escaped here or, where a comment says so, by the caller. */

/** Joins the parts of a page; those that are undefined or empty are left out. */
export function sections(parts: readonly (string | undefined)[]): string {
  return `${parts.filter((part) => part !== undefined && part !== '').join('\n\n')}\n`
}

/** A table of two columns without a heading. The caller escapes the values, which may be Markdown. */
export function table(rows: readonly (readonly [string, string])[]): string {
  return ['| | |', '| --- | --- |', ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join('\n')
}

/** An error with its code and its cure. */
export function renderProblem({ title, message, hint, code }: BackupError): string {
  const lines = message.split('\n').map((line) => escapeMarkdown(line))
  return [`**${escapeMarkdown(title)}** (\`${code}\`)`, '', lines.join('<br>'), '', `**What to do:** ${hint}`].join('\n')
}

/** The first of some words from outside, escaped, and how many more there are. */
export function listed(words: readonly string[]): string {
  const shown = words.slice(0, 20).map((word) => escapeMarkdown(word))
  return words.length > shown.length ? `${shown.join(', ')} and ${words.length - shown.length} more` : shown.join(', ')
}

/** More slices than this look alike. */
const slices = 12

/** A pie of the largest types, the rest as one slice; undefined if there are none. */
export function pieOfTypes(byType: Readonly<Record<string, number>>): string | undefined {
  const types = Object.entries(byType).sort(([, a], [, b]) => b - a)
  if (types.length === 0) return undefined
  const rest = types.slice(slices)
  const others = rest.reduce((sum, [, count]) => sum + count, 0)
  const shown: [string, number][] = [
    ...types.slice(0, slices),
    ...(rest.length > 0 ? [[`${rest.length} other types`, others] as [string, number]] : []),
  ]
  return [
    '```mermaid',
    'pie showData title Documents by type',
    ...shown.map(([type, count]) => `  "${chartLabel(type)}" : ${count}`),
    '```',
  ].join('\n')
}

/** Mermaid takes few characters in a label, and no way to escape the others. */
function chartLabel(type: string): string {
  return type.slice(0, 40).replace(/[^A-Za-z0-9._ -]/g, '?') || '?'
}
