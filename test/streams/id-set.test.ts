import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { idSet } from '../../src/streams/id-set.ts'
import { runPeer } from '../support/process.ts'

describe('idSet', () => {
  it.each([
    { name: 'a plain id', text: 'author-1' },
    { name: 'the empty string', text: '' },
    { name: 'a name that objects inherit', text: '__proto__' },
    { name: 'a string of many bytes', text: 'ü🙂'.repeat(1000) },
  ])('takes $name as new once', ({ text }) => {
    const { add } = idSet()
    expect([add(text), add(text), add(text)]).toEqual([true, false, false])
  })

  it('answers as a set of strings would', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 2 }), { maxLength: 300 }), (texts) => {
        const { add } = idSet()
        const known = new Set<string>()
        expect(texts.map(add)).toEqual(texts.map((text) => !known.has(text) && Boolean(known.add(text))))
      }),
      { numRuns: 300 },
    )
  })

  it.each([0, 1, 200_000, 300_000])(
    'knows 300,000 strings apart and again, in at most 16 bytes each, if %i are expected',
    async (expected) => {
      const { stdout, stderr } = await runPeer(new URL('seen-memory.ts', import.meta.url), { count: 300_000, expected })
      expect(stderr).toBe('')
      const { bytesEach, ...counts } = JSON.parse(stdout) as { fresh: number; again: number; bytesEach: number }
      expect(counts).toEqual({ fresh: 300_000, again: 0 })
      expect(bytesEach).toBeGreaterThan(8)
      expect(bytesEach).toBeLessThanOrEqual(16)
    },
  )
})
