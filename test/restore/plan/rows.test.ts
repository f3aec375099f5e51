import { createHash } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { redactor } from '../../../src/redact.ts'
import type { Row } from '../../../src/restore/plan/plan.ts'
import { planFile } from '../../../src/restore/plan/rows.ts'

const row = (id: string, more: Partial<Row> = {}): Row => ({ action: 'create', intent: 'create', document: 0, id, type: 'post', ...more })
const planWith = (rows: readonly Row[]) => ({ rows, unchanged: 0, stays: new Map() })
const asItIs = (text: string) => text

describe('the file of a plan', () => {
  it('has a line for each row, sorted, and a digest of them all', () => {
    const { lines, digest } = planFile(planWith([row('b'), row('a', { action: 'blocked', reason: 'refers to c' })]), asItIs)
    expect(lines).toEqual([
      '{"action":"blocked","id":"a","type":"post","reason":"refers to c"}',
      '{"action":"create","id":"b","type":"post"}',
    ])
    expect(digest).toBe(
      `sha256:${createHash('sha256')
        .update(lines.map((line) => `${line}\n`).join(''))
        .digest('hex')}`,
    )
  })

  it('is the same for the same rows in another order', () => {
    const rows = ['a', 'b', 'c'].map((id) => row(id))
    expect(planFile(planWith(rows.toReversed()), asItIs)).toEqual(planFile(planWith(rows), asItIs))
  })

  it('holds no secret, whichever part of a row has it', () => {
    const token = 'skAbcdefghijklmnopqrstuvwxyz0123456789'
    const { lines } = planFile(planWith([row(`a-${token}`, { type: `t-${token}`, reason: `refers to ${token}` })]), redactor([token]))
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
      { action: 'create', id: 'a-***', type: 't-***', reason: 'refers to ***' },
    ])
  })
})
