import { describe, expect, it } from '@jest/globals'
import { marked } from 'marked'
import type { Applied, RestoreOutcome } from '../../../src/commands/restore/outcome.ts'
import { BackupError } from '../../../src/errors.ts'
import { restoreEnding, restoreFailure } from '../../../src/report/restore/restore.ts'
import type { Plan, Row } from '../../../src/restore/plan/plan.ts'
import { exampleManifest, foundOf } from '../../support/example.ts'

const row = (action: Row['action'], id: string, more: Partial<Row> = {}): Row => ({
  action,
  intent: 'create',
  document: 0,
  id,
  type: 'post',
  ...more,
})
const planOf = (rows: readonly Row[], unchanged = 0, stays: Plan['stays'] = new Map()): Plan => ({ rows, unchanged, stays })

const applied: Applied = {
  safety: {
    name: 'sanity-abc12345-production-pre-restore',
    url: 'https://github.com/acme/site/actions/runs/1/artifacts/2',
    snapshot: 's',
    encrypted: false,
  },
  journalPath: '/temp/journal.ndjson',
  transactions: 3,
  left: [],
  proof: { equal: 5196, differs: [] },
  kept: 'sanity-abc12345-production-restore',
}

function outcome(change: Partial<RestoreOutcome>): RestoreOutcome {
  return {
    status: 'planned',
    target: { projectId: 'abc12345', dataset: 'production' },
    mirror: false,
    chosen: { main: foundOf(exampleManifest) },
    manifest: exampleManifest,
    ageMs: 7_200_000,
    plan: planOf([]),
    planDigest: `sha256:${'a'.repeat(64)}`,
    planPath: '/temp/plan.ndjson',
    applied: undefined,
    startedAt: new Date('2026-11-22T10:15:00Z'),
    durationMs: 61_000,
    failure: undefined,
    ...change,
  }
}

const summaryOf = (change: Partial<RestoreOutcome>): string => restoreEnding(outcome(change), 'https://example.com/docs').summary()

it.each<{ says: string; change: Partial<RestoreOutcome> }>([
  { says: '❌ refused, nothing was written', change: { failure: failureOf('restore-refused') } },
  { says: '❌ cancelled, nothing was written', change: { failure: failureOf('cancelled') } },
  { says: '❌ not finished', change: { status: 'restored', applied, failure: failureOf('restore-failed') } },
])('the heading of a failure says how far it came: $says', ({ says, change }) => {
  expect(summaryOf(change).split('\n')[0]).toBe(`## Sanity restore of production: ${says}`)
})

function failureOf(code: BackupError['code']): BackupError {
  return new BackupError({ code, title: 'T', message: 'M.', hint: 'Do it.' })
}

describe('a summary', () => {
  it('says what to do about what is blocked', () => {
    expect(summaryOf({ plan: planOf([row('create', 'a'), row('blocked', 'b', { reason: 'r' })]) })).toContain('on-blocked: warn')
  })

  it('counts by type, and what a mirror leaves alone', () => {
    const rows = [
      row('create', 'a'),
      row('create', 'b', { type: 'page' }),
      row('delete', 'c'),
      row('upload', 'd', { type: 'sanity.fileAsset' }),
    ]
    const stays = new Map([
      ['filtered', 2],
      ['asset', 1],
    ] as const)
    const summary = summaryOf({ mirror: true, plan: planOf(rows, 7, stays) })
    expect(summary).toContain('| **all** | 2 | 1 | 1 |')
    expect(summary).toContain('| post | 1 | 1 |  |')
    expect(summary).toContain('Unchanged: 7 documents. Left alone: 2 documents that the snapshot leaves out by its own filters, 1 document')
  })

  it('stays small and harmless, whatever documents and types are called', () => {
    const nasty =
      '</details><script>alert(1)</script>\n::error::x\n##[error]x [a](javascript:x) `c` | d @everyone \u202e\u0000 https://evil.example '
    const actions = ['create', 'replace', 'delete', 'upload', 'blocked'] as const
    const rows = Array.from({ length: 5000 }, (_, index) =>
      row(actions[index % 5] ?? 'create', `${index}${nasty.repeat(20)}`, { type: `${index}${nasty.repeat(20)}`, reason: nasty.repeat(50) }),
    )
    const summary = summaryOf({ plan: planOf(rows) })
    expect(Buffer.byteLength(summary)).toBeLessThan(1024 * 1024)
    expect(summary).not.toMatch(/^\s*::|##\[|<script|\u202e/m)
    const html = marked.parse(summary) as string
    expect(html).not.toMatch(/<script|<a href="(?!https:\/\/(github|example)\.com)/)
    expect(html.match(/<details>/g)).toHaveLength(5)
    expect(html.match(/<\/details>/g)).toHaveLength(5)
  })
})

it('the outputs are those of the contract, and empty where they do not apply', () => {
  const { outputs } = restoreEnding(outcome({ plan: planOf([row('create', 'a'), row('upload', 'b'), row('blocked', 'c')], 3) }), undefined)
  expect(outputs).toEqual({
    status: 'planned',
    'create-count': 1,
    'replace-count': 0,
    'delete-count': 0,
    'unchanged-count': 3,
    'blocked-count': 1,
    'asset-upload-count': 1,
    plan: '/temp/plan.ndjson',
    'plan-digest': `sha256:${'a'.repeat(64)}`,
    'safety-artifact': '',
    journal: '',
    snapshot: exampleManifest.snapshot,
    'taken-at': exampleManifest.takenAt,
  })
})

it('a failure before there is a plan speaks of a restore, and of the role that it needs', () => {
  const hint = 'Create a robot token with the Viewer role. Run the backup again.'
  const { failure } = restoreFailure(
    new BackupError({ code: 'sanity-unauthorized', title: 'T', message: 'The backup M.', hint }),
    undefined,
  )
  expect(failure).toMatchObject({
    message: 'The restore M.',
    hint: 'Create a robot token with the Editor role (for a plan the Viewer role is enough). Run the restore again.',
  })
})
