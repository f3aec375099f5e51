import { describe, expect, it } from '@jest/globals'
import { parse } from 'yaml'
import type { Applied, RestoreOutcome } from '../../../src/commands/restore/outcome.ts'
import { declaredInputs } from '../../../src/inputs/inputs.ts'
import { renderRestore } from '../../../src/report/restore/summary.ts'
import type { Row } from '../../../src/restore/plan/plan.ts'
import { exampleManifest } from '../../support/example.ts'

const digest = `sha256:${'ab'.repeat(32)}` as const
const rows: readonly Row[] = [
  { action: 'create', intent: 'create', document: 1, id: 'a', type: 'post' },
  { action: 'create', intent: 'create', document: 2, id: 'b', type: 'post' },
  { action: 'delete', intent: 'delete', document: 3, id: 'c', type: 'post' },
]
const blocked: Row = { action: 'blocked', intent: 'create', document: 4, id: 'd', type: 'post', reason: 'refers to nothing' }
const applied: Applied = {
  safety: {
    name: 'sanity-abc12345-production-pre-restore',
    url: 'https://github.com/acme/site/actions/runs/42/artifacts/7',
    snapshot: 'abc12345-production-20261122T081500Z-pre-restore',
    encrypted: false,
  },
  journalPath: '/tmp/journal.ndjson',
  transactions: 1,
  left: [],
  proof: { equal: 1234, differs: [] },
  kept: 'sanity-abc12345-production-restore',
}

describe('the job summary of a restore', () => {
  it.each<{ name: string; change: Partial<RestoreOutcome>; says: string }>([
    { name: 'a plan', change: {}, says: '✅ a plan: 2 to create, 1 to delete' },
    {
      name: 'a plan with blocked rows',
      change: planOf([...rows, blocked]),
      says: '⚠️ a plan: 2 to create, 1 to delete, 1 document cannot be restored',
    },
    { name: 'a plan of nothing', change: planOf([]), says: '✅ nothing to do, 1,231 documents equal' },
    {
      name: 'a choice of nothing',
      change: { plan: { ...planOf([]).plan, unchanged: 0 } },
      says: '⚠️ nothing to restore: no document of the snapshot is chosen',
    },
    { name: 'nothing to carry out', change: { ...planOf([]), status: 'unchanged' }, says: '✅ nothing to do, 1,231 documents equal' },
    { name: 'a restore', change: { status: 'restored', applied }, says: '✅ restored, 1,234 documents equal' },
  ])('has the verdict and the numbers in its heading: $name', ({ change, says }) => {
    expect(render(change).split('\n')[0]).toBe(`## Sanity restore of production: ${says}`)
  })

  it.each<{ name: string; change: Partial<RestoreOutcome>; says: string }>([
    { name: 'a plan', change: {}, says: '**Nothing was written.**' },
    {
      name: 'a restore',
      change: { status: 'restored', applied },
      says: '**Proof:** the dataset was read again: 1,234 documents equal, nothing differs.',
    },
    {
      name: 'one that others got in the way of',
      change: {
        status: 'restored',
        applied: { ...applied, proof: { equal: 1233, differs: [{ id: 'a', action: 'create', byOthers: true, why: 'somebody made it' }] } },
      },
      says: '1,233 documents equal, **1 document differs**.',
    },
    {
      name: 'one that was not read again',
      change: { status: 'restored', applied: { ...applied, proof: undefined } },
      says: '**Proof:** none',
    },
  ])('says right below whether anything was written, and the proof: $name', ({ change, says }) => {
    expect(render(change).split('\n')[2]).toContain(says)
  })

  it.each<{ name: string; change: Partial<RestoreOutcome>; head: string }>([
    { name: 'a plan', change: {}, head: '| type | to create | to delete |' },
    { name: 'a restore', change: { status: 'restored', applied }, head: '| type | created | deleted |' },
  ])('counts by type, in the words of $name', ({ change, head }) => {
    expect(render(change)).toContain(`${head}\n| --- | ---: | ---: |\n| **all** | 2 | 1 |\n| post | 2 | 1 |`)
  })

  it('says how to carry a plan out, and how to keep to the snapshot', () => {
    const text = render({})
    expect(parse(blockIn(text))).toEqual({ mode: 'apply', confirm: 'production', 'plan-digest': digest })
    expect(text).toContain(`\`at: ${exampleManifest.takenAt}\``)
  })

  it.each([
    { name: 'has nothing to do', change: planOf([]) },
    { name: 'is blocked altogether', change: planOf([blocked]) },
  ])('does not say how to carry out a plan that $name', ({ change }) => {
    expect(render(change)).not.toContain('mode: apply')
  })

  it('has a step to paste that undoes the restore, from the artifact of this very run', () => {
    const text = blockIn(render({ status: 'restored', applied }))
    const [step] = parse(text.replace(/# (mode|confirm)/g, '$1')) as [{ uses: string; with: Record<string, unknown> }]
    expect(step).toEqual({
      uses: 'acme/sanity-backup/restore@v1',
      with: {
        'project-id': 'abc12345',
        dataset: 'production',
        token: expect.stringContaining('secrets.SANITY_RESTORE_TOKEN'),
        'artifact-name': 'sanity-abc12345-production-pre-restore',
        'run-id': '42',
        mirror: true,
        mode: 'apply',
        confirm: 'production',
      },
    })
    const declared = declaredInputs({ INPUT_COMMAND: 'restore' })
    expect(Object.keys(step.with).filter((name) => !declared.includes(name))).toEqual([])
  })

  it('asks for the key where the dataset as it was is encrypted', () => {
    const safety = {
      name: 'x-pre-restore',
      url: 'https://github.com/acme/site/actions/runs/42/artifacts/7',
      snapshot: 'x',
      encrypted: true,
    }
    expect(render({ status: 'restored', applied: { ...applied, safety } })).toContain('identity: ${{ secrets.SANITY_BACKUP_IDENTITY }}')
  })
})

function planOf(some: readonly Row[]): Pick<RestoreOutcome, 'plan'> {
  return { plan: { rows: some, unchanged: 1231, stays: new Map() } as unknown as RestoreOutcome['plan'] }
}

function blockIn(text: string): string {
  return /```yaml\n([\s\S]*?)```/.exec(text)?.[1] ?? ''
}

function render(change: Partial<RestoreOutcome>): string {
  const outcome: RestoreOutcome = {
    status: 'planned',
    target: { projectId: 'abc12345', dataset: 'production' },
    mirror: true,
    chosen: {
      main: { manifest: exampleManifest, where: 'in the artifact "x" (1)', link: undefined },
    } as unknown as RestoreOutcome['chosen'],
    manifest: exampleManifest,
    ageMs: 3_600_000,
    ...planOf(rows),
    planDigest: digest,
    planPath: '/tmp/plan.ndjson',
    applied: undefined,
    startedAt: new Date('2026-11-22T09:00:00Z'),
    durationMs: 5000,
    failure: undefined,
    ...change,
  }
  return renderRestore(outcome, 'https://github.com/acme/sanity-backup/blob/v1/docs')
}
