import { describe, expect, it } from '@jest/globals'
import type { Prepared } from '../../../src/commands/restore/prepare.ts'
import { checkMirror, refusePlan, refuseUnconfirmed } from '../../../src/commands/restore/refuse.ts'
import type { BackupError } from '../../../src/errors.ts'
import type { StoredManifest } from '../../../src/format/manifest/manifest.ts'
import type { RestoreInputs } from '../../../src/inputs/restore.ts'
import type { Row } from '../../../src/restore/plan/plan.ts'
import { exampleManifest } from '../../support/example.ts'
import { stepTools } from '../backup/tools.ts'

const inputsWith = (change: Partial<RestoreInputs>) =>
  ({
    mode: 'apply',
    confirm: 'production',
    planDigest: undefined,
    onBlocked: 'fail',
    mirror: true,
    target: { projectId: 'abc12345', dataset: 'production' },
    ...change,
  }) as RestoreInputs

function refusal(work: () => void): BackupError | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    return error as BackupError
  }
}

describe('a restore that is not confirmed', () => {
  it.each([
    { mode: 'plan', confirm: undefined, says: undefined },
    { mode: 'apply', confirm: 'production', says: undefined },
    { mode: 'apply', confirm: undefined, says: '`confirm` is empty' },
    { mode: 'apply', confirm: 'Production', says: '`confirm` is "Production"' },
    { mode: 'apply', confirm: 'staging', says: 'the dataset that would be written to is "production"' },
  ] as const)('mode $mode, confirm $confirm', ({ mode, confirm, says }) => {
    const error = refusal(() => refuseUnconfirmed(inputsWith({ mode, confirm })))
    expect(error?.code).toBe(says && 'restore-refused')
    expect(error?.message ?? '').toContain(says ?? '')
  })
})

describe('a mirror', () => {
  const mirror = (change: Partial<StoredManifest>, mirrored = true) => {
    const { tools, logged } = stepTools()
    const error = refusal(() => checkMirror(inputsWith({ mirror: mirrored }), { ...exampleManifest, ...change } as StoredManifest, tools))
    return { error, logged }
  }
  const sealed = { types: 0, excludeTypes: 0, excludeIds: 1, includeDrafts: true, digest: 'sha256:0' } as never

  it.each<{ what: string; change: Partial<StoredManifest>; says: string }>([
    { what: 'whose token could not read everything', change: { access: { fullRead: false } }, says: 'could not read every document' },
    { what: 'that does not say what it left out', change: { filters: sealed }, says: 'does not say what it left out' },
  ])('of a snapshot $what is refused', ({ change, says }) => {
    expect(mirror(change).error).toMatchObject({ code: 'restore-refused', message: expect.stringContaining(says) })
    expect(mirror(change, false)).toEqual({ error: undefined, logged: [] })
  })

  it.each<{ what: string; change: Partial<StoredManifest>; says: string }>([
    { what: 'of which it is not known what its token could read', change: { access: { fullRead: null } }, says: 'it is not known' },
    {
      what: 'that was fetched page by page',
      change: { source: { ...exampleManifest.source, mode: 'cursor' } },
      says: 'was fetched page by page',
    },
  ])('of a snapshot $what is warned of', ({ change, says }) => {
    const { error, logged } = mirror(change)
    expect(error).toBeUndefined()
    expect(logged).toEqual([expect.stringMatching(new RegExp(`^warning: .*${says}`))])
  })

  it('of an ordinary snapshot is nothing to talk about', () => {
    expect(mirror({})).toEqual({ error: undefined, logged: [] })
  })
})

describe('a plan', () => {
  const blocked = (id: string): Row => ({ action: 'blocked', intent: 'create', document: 0, id, type: 'post', reason: `why ${id}` })
  const prepared = (rows: readonly Row[]) =>
    ({ planDigest: `sha256:${'a'.repeat(64)}`, plan: { rows, unchanged: 0, stays: new Map() } }) as unknown as Prepared
  const approved = `sha256:${'b'.repeat(64)}` as const

  it('other than the approved one is refused, also where some of it is blocked', () => {
    const error = refusal(() => refusePlan(inputsWith({ planDigest: approved, onBlocked: 'warn' }), prepared([blocked('a')])))
    expect(error).toMatchObject({ code: 'restore-refused', title: 'The plan is no longer the one that was approved' })
    expect(error?.message).toContain(approved)
  })

  it('of which something is blocked is refused, and the first of it named', () => {
    const error = refusal(() => refusePlan(inputsWith({}), prepared(['a', 'b', 'c', 'd'].map(blocked))))
    expect(error).toMatchObject({ code: 'restore-refused', title: 'Not everything can be restored' })
    expect(error?.message).toBe('4 documents cannot be restored, so nothing was written:\na: why a\nb: why b\nc: why c')
  })

  it.each([
    { what: 'in mode plan', change: { mode: 'plan', planDigest: approved } as const },
    { what: 'that was approved with what is blocked', change: { planDigest: `sha256:${'a'.repeat(64)}`, onBlocked: 'warn' } as const },
  ])('$what is not refused', ({ change }) => {
    expect(refusal(() => refusePlan(inputsWith(change), prepared([blocked('a')])))).toBeUndefined()
  })
})
