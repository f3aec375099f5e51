import { describe, expect, it } from '@jest/globals'
import type { VerifyOutcome } from '../../../src/commands/verify/outcome.ts'
import type { Found } from '../../../src/destinations/destination.ts'
import { BackupError } from '../../../src/errors.ts'
import { type Finding, fileFinding, finding } from '../../../src/format/findings/finding.ts'
import type { Ending } from '../../../src/report/ending.ts'
import { verifyEnding, verifyFailure } from '../../../src/report/verify/verify.ts'
import { exampleManifest } from '../../support/example.ts'

const hostile = '|`<b>\n::error::x ##[y] "] --> @octocat [a](https://evil.example) \u202e'

const found: Found = {
  manifest: exampleManifest,
  manifestBytes: Buffer.alloc(0),
  where: 'in the artifact "sanity-abc12345-production"',
  link: 'https://github.com/acme/site/actions/runs/42/artifacts/7',
  keptUntil: '2026-12-22T08:15:00Z',
  fetch: async () => {
    throw new Error('not wanted here')
  },
}

function outcome(changes: Partial<VerifyOutcome> = {}): VerifyOutcome {
  return {
    chosen: { main: found, parts: [found], shards: undefined },
    level: 'data',
    findings: [],
    ageMs: 9_300_000,
    path: undefined,
    durationMs: 4000,
    ...changes,
  }
}

const ending = (changes?: Partial<VerifyOutcome>): Ending => verifyEnding(outcome(changes), undefined)
const summary = (changes?: Partial<VerifyOutcome>): string => ending(changes).summary()

const wrong: Finding = fileFinding('digest-differs', 'data.ndjson.gz', 'has another digest')
const old: Finding = finding('too-old', 'It is 30 hours old')
const warning: Finding = finding('expires-soon', 'It ends tomorrow')

describe('the summary of a verification', () => {
  it('says in its first line of what, whether it is good, and how many documents', () => {
    expect(summary().split('\n')[0]).toBe('## Sanity backup of production: ✅ verified, 2 documents')
  })

  it.each([
    { row: 'Taken', value: '.*, 2 hours ago' },
    { row: 'Lies', value: '.*look.*' },
    { row: 'Kept until', value: '2026-12-22T08:15:00Z' },
    { row: 'Verified', value: 'every byte, in 4.0 s' },
  ])('has the row $row', ({ row, value }) => {
    expect(summary()).toMatch(new RegExp(`^\\| ${row} \\| ${value} \\|$`, 'm'))
  })

  it.each([
    { findings: [wrong], verdict: '❌ not whole' },
    { findings: [wrong, old], verdict: '❌ not whole' },
    { findings: [old, warning], verdict: '❌ too old' },
    { findings: [warning], verdict: '⚠️ verified, 1 warning' },
  ])('has the verdict $verdict', ({ findings, verdict }) => {
    expect(summary({ findings }).split('\n')[0]).toContain(`: ${verdict}, `)
  })

  it('says of names and sizes that no data was read', () => {
    expect(summary({ level: 'structure' })).toContain('no data was read')
  })

  it('tells each finding, and once for each kind what to do', () => {
    const text = summary({ findings: [wrong, wrong, warning] })
    expect(text.match(/^\| ❌ `digest-differs` \|/gm)).toHaveLength(2)
    expect(text.match(/^- `digest-differs`: Do not rely/gm)).toHaveLength(1)
    expect(text).toMatch(/^- `expires-soon`: Raise `retention-days`/m)
  })

  it('lets nothing from outside do harm', () => {
    const manifest = { ...exampleManifest, snapshot: hostile, label: hostile, source: { ...exampleManifest.source, dataset: hostile } }
    const main = { ...found, manifest, where: hostile }
    const text = summary({ chosen: { main, parts: [main], shards: 2 }, findings: [finding('file-missing', hostile)] })
    expect(text).not.toMatch(/<b>|(?<!\\)\[a\]\(https/)
    expect(text.split('\n').filter((line) => line.startsWith('::'))).toEqual([])
  })

  it('has an output of findings under 1 MB with nothing in it that acts, whatever the files are called', () => {
    const path = `\n\u001b[31m\u202e${'x'.repeat(5000)}`
    const { outputs } = ending({ findings: Array.from({ length: 20_000 }, () => fileFinding('file-unexpected', path, 'y'.repeat(5000))) })
    const text = String(outputs['findings'])
    expect(Buffer.byteLength(text)).toBeLessThan(1_000_000)
    expect(text).not.toMatch(/\\n|\\u001b|\u202e/)
    expect(JSON.parse(text)).toHaveLength(400)
  })

  it('stays under 1 MiB with as many findings as there can be', () => {
    const findings = Array.from({ length: 17 * 21 }, () => fileFinding('line-invalid', 'x'.repeat(300), 'y'.repeat(600)))
    expect(Buffer.byteLength(summary({ findings }))).toBeLessThan(1024 * 1024)
  })
})

describe('the ending of a verification', () => {
  it('is green with warnings alone', () => {
    expect(ending({ findings: [warning] })).toMatchObject({ failure: undefined, outputs: { status: 'verified' } })
  })

  it('is red with an error, and names the finding and the cure', () => {
    const { failure, outputs } = ending({ findings: [wrong, warning] })
    expect(outputs).toMatchObject({ status: 'findings', 'age-hours': 2, path: '' })
    expect(failure).toMatchObject({ code: 'verification-failed', title: 'The snapshot is not whole' })
    expect(failure?.message).toContain('digest-differs: ')
    expect(failure?.message).not.toContain('expires-soon')
    expect(failure?.hint).toMatch(/^Do not rely on this snapshot/)
  })

  it('names five findings, and how many more there are', () => {
    expect(ending({ findings: Array.from({ length: 8 }, () => wrong) }).failure?.message).toContain('and 3 more findings')
  })

  it('has all findings as JSON', () => {
    expect(JSON.parse(String(ending({ findings: [wrong, old] }).outputs['findings']))).toEqual([wrong, old])
  })

  it('counts the assets of all shards', () => {
    const shard = { ...found, manifest: { ...exampleManifest, assets: { ...exampleManifest.assets, count: 3 } } }
    expect(ending({ chosen: { main: shard, parts: [shard, shard], shards: 2 } }).outputs['asset-count']).toBe(6)
  })
})

describe('a verification that could not look', () => {
  it('has only a code, and the words of its error', () => {
    const error = new BackupError({ code: 'snapshot-missing', title: 'There is none', message: 'm', hint: 'Look there.' })
    expect(verifyFailure(error, undefined)).toMatchObject({ outputs: {}, failure: error })
    expect(verifyFailure(error, undefined).summary()).toContain('❌ could not look')
  })

  it('speaks of a verification when it was cancelled', () => {
    const error = new BackupError({ code: 'cancelled', title: 'The backup was cancelled', message: 'm', hint: 'Raise.' })
    expect(verifyFailure(error, undefined).failure).toMatchObject({ code: 'cancelled', title: 'The verification was cancelled' })
  })
})
