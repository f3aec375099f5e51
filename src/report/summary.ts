import type { BackupError } from '../errors.ts'
import { escapeMarkdown } from '../text.ts'
import { errorPage } from './links.ts'

/** Parts of a job summary, as Markdown. What comes from outside is escaped here or, where a comment says so, by the caller. */

/** Joins the parts of a page; those that are undefined or empty are left out. */
export function sections(parts: readonly (string | undefined)[]): string {
  return `${parts.filter((part) => part !== undefined && part !== '').join('\n\n')}\n`
}

/** A table. The first column is that of the names, the others are numbers. The caller escapes the cells, which may be Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], others: 'numbers' | 'words' = 'numbers'): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, index) => (index === 0 || others === 'words' ? '---' : '---:'))), ...rows.map(line)].join('\n')
}

/** A part that a reader opens. The caller escapes both. */
export function folded(title: string, body: string): string {
  return `<details>\n<summary>${title}</summary>\n\n${body}\n\n</details>`
}

/** A message of our own, whole, with words from outside in it. What looks like code stays code: it can hold nothing that acts. */
export function ownWords(text: string): string {
  return text
    .split('\n')
    .map((line) => escapeMarkdown(line, Number.POSITIVE_INFINITY).replace(/\\`([A-Za-z0-9 :.,/=-]{1,80})\\`/g, '<code>$1</code>'))
    .join('<br>')
}

/** An error: what failed, its code as a link, the fact, and the cure as a list. */
export function renderProblem({ title, message, hint, code }: BackupError, docs: string | undefined): string {
  const page = errorPage(code, docs)
  const link = docs === undefined ? `\`${code}\` (see ${page})` : `[\`${code}\`](${page}): [what to do](${page})`
  return [`**${ownWords(title)}** ${link}`, ownWords(message), cure(hint)].join('\n\n')
}

/** A hint, a step a line. Hints are Markdown of our own. */
function cure(hint: string): string {
  const steps = hint.split(/(?<=[.!?])\s+(?=[A-Z`])/)
  return steps.map((step, index) => `${index + 1}. ${step.replaceAll('\n', ' ')}`).join('\n')
}

/** The first of some words from outside, escaped, as code, and how many more there are. */
export function listed(words: readonly string[]): string {
  const shown = words.slice(0, 20).map((word) => `<code>${escapeMarkdown(word)}</code>`)
  return words.length > shown.length ? `${shown.join(', ')} and ${words.length - shown.length} more` : shown.join(', ')
}

/** How a workflow names a secret of its repository. */
export function secret(name: string): string {
  return `\${{ secrets.${name} }}`
}
