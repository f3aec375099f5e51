import { findToken } from '../support/leaks.ts'
import type { Row } from './row.ts'

/** How a contender ended, as it can be seen from outside. */
export type Ended = {
  /** Null if it was killed, by the row's own signal or because it hung. */
  readonly exitCode: number | null
  readonly timedOut: boolean
  readonly seconds: number
  readonly requests: number
  /** Everything that it printed or told. */
  readonly seen: string
  /** The lines that it stored; undefined if it stored nothing that can be read. */
  readonly lines: readonly Buffer[] | undefined
  /** What lies on the disk afterwards besides a whole backup, in words; empty if nothing does. */
  readonly left: string
  readonly peakRssBytes: number | undefined
  /** Only of ours. */
  readonly code?: string | undefined
  /** What verifying the stored snapshot found; only of ours. */
  readonly findings?: readonly string[]
}

export type Verdict = { readonly words: string; readonly wrong: boolean }

/** What a green or red ending is worth, for a contender without codes. `truth` are the lines that a whole backup has. */
export function judgeExporter(ended: Ended, truth: readonly Buffer[], token: string): Verdict {
  const leak = findToken(token, { seen: ended.seen }).length > 0 ? ', and prints the token' : ''
  if (ended.timedOut) return { words: `**hangs**${leak}`, wrong: true }
  if (ended.exitCode === null) return { words: `killed${leak}`, wrong: leak !== '' }
  if (ended.exitCode !== 0) return { words: `fails${leak}`, wrong: leak !== '' }
  const fault = contentFault(ended.lines ?? [], truth)
  return fault === undefined ? { words: `green, whole${leak}`, wrong: leak !== '' } : { words: `**green, ${fault}**${leak}`, wrong: true }
}

/** Whether ours ended as the row demands; `words` say what is wrong if it did not. */
export function judgeOurs(row: Row, ended: Ended, truth: readonly Buffer[], token: string): Verdict {
  const wrong = (why: string): Verdict => ({ words: `**WRONG: ${why}**`, wrong: true })
  if (ended.timedOut) return wrong('hangs')
  const leaks = findToken(token, { seen: ended.seen })
  if (leaks.length > 0) return wrong(`shows the token (${leaks[0]?.form})`)
  if (row.peakRssBytes !== undefined && !((ended.peakRssBytes ?? Number.POSITIVE_INFINITY) <= row.peakRssBytes)) {
    return wrong(`takes ${Math.round((ended.peakRssBytes ?? 0) / 1e6)} MB of memory`)
  }
  if (row.signal?.name === 'SIGKILL')
    return ended.lines === undefined ? { words: 'killed, nothing published', wrong: false } : wrong('half published')
  if (ended.left !== '') return wrong(`leaves ${ended.left}`)
  return row.ours === 'whole' ? judgeWhole(row, ended, truth, wrong) : judgeFailure(row, ended, wrong)
}

function judgeWhole(row: Row, ended: Ended, truth: readonly Buffer[], wrong: (why: string) => Verdict): Verdict {
  if (ended.exitCode !== 0) return wrong(`fails with ${ended.code ?? ended.exitCode}`)
  const fault = contentFault(ended.lines ?? [], truth)
  if (fault !== undefined) return wrong(`green, ${fault}`)
  if (ended.findings?.length !== 0) return wrong(`green, but ${ended.findings?.join('; ') ?? 'not verified'}`)
  if (row.says && !row.says.test(ended.seen)) return wrong(`does not say ${row.says}`)
  return { words: row.says ? 'green, whole, warned' : 'green, whole', wrong: false }
}

function judgeFailure({ ours, says }: Row, ended: Ended, wrong: (why: string) => Verdict): Verdict {
  if (ended.exitCode === 0) return wrong('green')
  if (ended.lines !== undefined) return wrong('red, but something is published')
  // Where the outputs cannot be written, the words are all there is.
  const code = ended.code ?? (says?.test(ended.seen) ? ours : undefined)
  if (code !== ours) return wrong(`fails with ${code ?? 'no code'}`)
  const exitCode = ours === 'cancelled' ? 130 : 1
  return ended.exitCode === exitCode ? { words: `\`${ours}\``, wrong: false } : wrong(`ends with ${ended.exitCode}`)
}

/** What is wrong with stored lines, in words; undefined if they are the true ones, byte for byte, in any order. */
export function contentFault(lines: readonly Buffer[], truth: readonly Buffer[]): string | undefined {
  if (lines.length !== truth.length) return `WRONG: ${lines.length} of ${truth.length} documents`
  const sorted = (all: readonly Buffer[]) => all.map((line) => line.toString('latin1')).sort()
  const expected = sorted(truth)
  const changed = sorted(lines).filter((line, index) => line !== expected[index]).length
  return changed === 0 ? undefined : `WRONG: ${changed} of ${truth.length} documents rewritten`
}
