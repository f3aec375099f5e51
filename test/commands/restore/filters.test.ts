import { describe, expect, it } from '@jest/globals'
import { mirrorRules } from '../../../src/commands/restore/filters.ts'

const filters = { includeDrafts: true, types: [], excludeTypes: [], excludeIds: [] }

describe('what a mirror goes by', () => {
  it('is what the manifest says: its filters, and when it was taken and finished', () => {
    const rules = mirrorRules({ takenAt: '2026-11-20T03:00:00Z', finishedAt: '2026-11-20T03:00:07Z', filters })
    expect(rules).toMatchObject({ takenMs: Date.parse('2026-11-20T03:00:00.000Z'), finishedMs: Date.parse('2026-11-20T03:00:07.000Z') })
  })

  it.each([undefined, { types: 0, excludeTypes: 0, excludeIds: 1, includeDrafts: true, digest: 'sha256:0' }])(
    'is nothing where the snapshot does not say what it left out: %j',
    (unsaid) => {
      expect(mirrorRules({ takenAt: '2026-11-20T03:00:00Z', filters: unsaid as never })).toBeUndefined()
    },
  )
})
