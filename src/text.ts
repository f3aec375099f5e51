/**
 * Text on its way out. Everything that this process prints or stores in words passes through here; the bytes of documents never do.
 */

/** Control characters (C0, DEL, C1), bidirectional marks and overrides, zero-width characters, line separators, lone surrogates. */
const invisible =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what has to go
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/**
 * Words from outside (a server's message, an id, a type name) as one short harmless line: no control characters, no line breaks, nothing that
 * the runner takes for a command, cut at `maxLength` characters.
 */
export function quoteOutside(text: string, maxLength = 300): string {
  const line = neutralise(text.slice(0, maxLength * 4))
    .replace(/\s+/g, ' ')
    .trim()
  return line.length > maxLength ? `${line.slice(0, maxLength - 1).replace(/[\ud800-\udbff]$/, '')}…` : line
}

/**
 * Text of several lines without what could act on the reader's screen or on the runner: invisible characters are left out, and workflow
 * commands (`::name::` at the start of a line, `##[name]` anywhere) are broken with a space.
 * The runner's rules: github.com/actions/runner src/Runner.Common/ActionCommand.cs.
 */
export function neutralise(text: string): string {
  return visible(text.replace(/\r\n?/g, '\n'))
    .replace(/^(\s*):(?=:)/gm, '$1: ')
    .replace(/##(?=\[)/g, '# #')
}

/** The text without the characters that nobody sees. */
export function visible(text: string): string {
  return text.replace(invisible, '')
}

/** The text with every character that has a meaning in Markdown or HTML made harmless, on one line, cut at `maxLength` characters. */
export function escapeMarkdown(text: string, maxLength = 300): string {
  return quoteOutside(text, maxLength)
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/[\\`*_{}[\]()#+!|~$]/g, '\\$&')
    .replace(/@/g, '&#64;')
    .replace(/:\/\//g, '&#58;//')
    .replace(/\bwww\./gi, 'www&#46;')
}

/** A text as one word of a shell command. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** A size in bytes for people, in SI units: `38.2 MB`. */
export function formatBytes(bytes: number): string {
  let power = 0
  while (power < units.length - 1 && bytes / 1000 ** power >= (power === 0 ? 1000 : 999.95)) power++
  return power === 0 ? `${bytes} B` : `${(bytes / 1000 ** power).toFixed(1)} ${units[power]}`
}

/** A duration in milliseconds for people: `0.4 s`, `41 s`, `3 min 5 s`. */
export function formatDuration(ms: number): string {
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/** How long ago something was, for people: `5 min`, `22 h`, `3 days`. */
export function formatAge(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / 60_000))
  if (minutes < 100) return `${minutes} min`
  const hours = Math.round(minutes / 60)
  return hours < 72 ? `${hours} h` : `${formatCount(Math.round(hours / 24))} days`
}

/** A day for people, in UTC: `28 December 2026`. */
export function formatDay(date: Date): string {
  return date.toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' })
}

/** How long ago something was, in the largest unit that still tells apart: `3 hours ago`. */
export function formatAgo(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  if (!(minutes >= 1)) return 'just now'
  if (minutes < 120) return `${plural(minutes, 'minute')} ago`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${plural(hours, 'hour')} ago` : `${plural(Math.floor(hours / 24), 'day')} ago`
}

/** A whole number for people: `12,408`. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US')
}

/** `1 document`, `2 documents`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`
}
