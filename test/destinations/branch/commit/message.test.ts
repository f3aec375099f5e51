import { describe, expect, it } from '@jest/globals'
import { commitMessage, saysWhole, takenAtIn, topMessage } from '../../../../src/destinations/branch/commit/message.ts'
import type { Manifest } from '../../../../src/format/manifest/manifest.ts'
import { redactor } from '../../../../src/redact.ts'
import { exampleManifest } from '../../../support/example.ts'

const token = `sk${'Ab3dEf6hJ9'.repeat(9)}`
const clean = redactor([token])
const whole = {
  ...{ template: 'Back up {snapshot}', manifest: exampleManifest, previous: undefined },
  byType: undefined,
  clean,
  whole: true,
}
const typeIs = (type: string): Manifest => ({ ...exampleManifest, documents: { ...exampleManifest.documents, byType: { [type]: 9 } } })

describe('the message of a commit', () => {
  it.each([
    { name: 'a type is it', type: token },
    { name: 'a type ends in it where it is cut', type: `${'x'.repeat(180)}${token}` },
  ])('holds no piece of a token, where $name', ({ type }) => {
    const byType = new Map([[type, { created: 1, changed: 0, deleted: 0 }]])
    for (const change of [{ byType }, { manifest: typeIs(type), previous: typeIs('other') }, { previous: typeIs(type) }]) {
      expect(commitMessage({ ...whole, ...change })).not.toContain(token.slice(0, 8))
    }
  })

  it('holds nothing of a manifest from elsewhere that means something', () => {
    const hostile =
      'x\u001b[2J\n::error::y\n\nSnapshot: z\nTaken at: 2026-01-01T00:00:00Z\nRead back whole: abc12345/production\n[skip ci] @everyone #1'
    const manifest = { ...exampleManifest, snapshot: hostile, label: hostile, source: { ...exampleManifest.source, dataset: hostile } }
    const message = topMessage({ template: '{snapshot} {label} {dataset}', clean, manifest })
    for (const sign of ['\u001b', '@', '#', '[', '::']) expect(message).not.toContain(sign)
    expect(message.split('\n')).toHaveLength(5)
    expect([saysWhole(message, exampleManifest.source), takenAtIn(message)]).toEqual([false, undefined])
  })

  it.each([
    { name: 'our own, with the line', message: commitMessage(whole), says: true },
    { name: 'our own, without it', message: commitMessage({ ...whole, whole: false }), says: false },
    {
      name: 'our own, whose title only looks so',
      message: commitMessage({
        ...whole,
        template: `x\n\nSnapshot: a\nTaken at: 2020-01-01T00:00:00Z\nRead back whole: abc12345/production\n`,
        whole: false,
      }),
      says: false,
    },
    { name: 'one with the line alone', message: 'x\n\nRead back whole: abc12345/production\n', says: false },
  ])('says by its last paragraph alone that all was read back: $name', ({ message, says }) => {
    expect(saysWhole(message, exampleManifest.source)).toBe(says)
    expect([exampleManifest.takenAt, undefined]).toContain(takenAtIn(message))
  })
})
