import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { strongReferences } from '../../../src/format/references.ts'
import { canonicalDigest } from '../../../src/restore/canonical/canonical.ts'
import { withReferences, withWeakened } from '../../../src/restore/canonical/rewrite.ts'
import { anyDocument, anyDraw, anyId, spelledAnyhow } from './documents.ts'

const runs = { seed: 1, numRuns: 2000 }

describe('withReferences', () => {
  it('gives the document that one is with other ids, however it is spelled', () => {
    let changed = 0
    const anyIds = fc.array(fc.tuple(anyId, anyId))
    fc.assert(
      fc.property(anyDocument, anyDraw, anyIds, (document, draw, ids) => {
        const references = new Map(ids)
        const line = Buffer.from(spelledAnyhow(document, draw))
        const other = withReferences(line, references)
        if (other !== line) changed++
        expect(digestOf(other)).toBe(digestOf(line, references))
      }),
      runs,
    )
    // Documents without references would prove little.
    expect(changed).toBeGreaterThan(100)
  })

  it('changes no byte beside the ids', () => {
    const line = Buffer.from('{ "_ref" : "old" ,"x":[1.0,{"_weak":true,"_ref":"old"},{"\\u005fref":"\\u006fld"}],"y":"_ref","old":"old" }')
    expect(withReferences(line, new Map([['old', 'né"w']])).toString()).toBe(
      '{ "_ref" : "né\\"w" ,"x":[1.0,{"_weak":true,"_ref":"né\\"w"},{"\\u005fref":"né\\"w"}],"y":"_ref","old":"old" }',
    )
  })

  it.each([
    { name: 'refers to others', line: '{"x":{"_ref":"other"}}' },
    { name: 'has the id elsewhere', line: '{"_id":"old","x":["_ref","old"],"ref":"old"}' },
    { name: 'has it under the name of a reference, but not as text', line: '{"_ref":["old"]}' },
    { name: 'has a text that looks like a reference', line: '{"x":"{\\"_ref\\":\\"old\\"}","y":"\\"_ref\\":\\"old\\""}' },
    { name: 'is empty', line: '{}' },
  ])('gives the same buffer for a line that $name', ({ line }) => {
    const bytes = Buffer.from(line)
    expect(withReferences(bytes, new Map([['old', 'new']]))).toBe(bytes)
  })
})

describe('withWeakened', () => {
  it('leaves the strong references to others, and no other change', () => {
    let changed = 0
    fc.assert(
      fc.property(
        documentOfReferences(),
        fc.subarray(['a', 'b', 'é', '"'], { minLength: 2 }),
        fc.constantFrom(0, 1),
        (document, ids, indent) => {
          const targets = new Set<string>(ids)
          const line = Buffer.from(JSON.stringify(document, null, indent))
          const weakened = withWeakened(line, targets)
          if (weakened !== line) changed++
          expect(strongReferences(weakened)).toEqual(strongReferences(line).filter((id) => !targets.has(id)))
          expect(JSON.parse(weakened.toString())).toEqual(weak(document, targets))
        },
      ),
      runs,
    )
    expect(changed).toBeGreaterThan(runs.numRuns / 10)
  })

  it.each([
    { name: 'a reference', before: '{"_ref":"a","_type":"t"}', after: '{"_ref":"a","_type":"t","_weak":true}' },
    { name: 'one that says that it is strong', before: '{"_ref":"a","_weak":false,"x":1}', after: '{"_ref":"a","_weak":true,"x":1}' },
    { name: 'one that says it in front', before: '{"_weak" : null , "_ref":"a"}', after: '{"_weak" : true , "_ref":"a"}' },
    { name: 'one that says it twice', before: '{"_weak":true,"_ref":"a","_weak":0}', after: '{"_weak":true,"_ref":"a","_weak":true}' },
    { name: 'one in what another says', before: '{"_weak":{"_ref":"a"},"_ref":"a"}', after: '{"_weak":true,"_ref":"a"}' },
    { name: 'one with white space', before: '{ "_ref":"a"\t}', after: '{ "_ref":"a"\t,"_weak":true}' },
    {
      name: 'one in another, but not that',
      before: '{"_ref":"b","x":[{"_ref":"a"},1.0]}',
      after: '{"_ref":"b","x":[{"_ref":"a","_weak":true},1.0]}',
    },
  ])('weakens $name, and changes no other byte', ({ before, after }) => {
    const line = (value: string) => `{"_id":"x","n":1e0,"value":${value},"\\u007a":0}`
    expect(withWeakened(Buffer.from(line(before)), new Set(['a'])).toString()).toBe(line(after))
  })

  it.each([
    { name: 'a weak reference', value: '{"_ref":"a","_weak":true}' },
    { name: 'a reference to another document', value: '{"_ref":"b"}' },
    { name: 'one into another dataset', value: '{"_ref":"a","_dataset":"d"}' },
    { name: 'a text that looks like one', value: '"{\\"_ref\\":\\"a\\"}"' },
  ])('gives the same buffer for a line with $name', ({ value }) => {
    const line = Buffer.from(`{"_id":"x","value":${value}}`)
    expect(withWeakened(line, new Set(['a']))).toBe(line)
  })

  it('weakens references however deep they lie', () => {
    const nested = (end: string) => `${'{"_ref":"a","x":['.repeat(10_000)}1${`]${end}`.repeat(10_000)}`
    expect(withWeakened(Buffer.from(nested('}')), new Set(['a'])).toString()).toBe(nested(',"_weak":true}'))
  })
})

function digestOf(line: Buffer, references = new Map<string, string>()): string {
  return canonicalDigest(line, { without: new Set(), references }).toString('hex')
}

function documentOfReferences(): fc.Arbitrary<Record<string, unknown>> {
  const reference = fc.record(
    { _ref: anyId, _type: fc.constant('reference'), _weak: fc.constantFrom(true, false, null), _dataset: fc.constant('d') },
    { requiredKeys: ['_ref'] },
  )
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5, depthSize: 'medium' },
      fc.constantFrom<unknown>('_ref', '{"_ref":"a"}', 1, null, []),
      { arbitrary: reference, weight: 3 },
      fc.array(tie('value'), { maxLength: 4 }),
      fc.tuple(reference, tie('value')).map(([{ _ref, ...others }, inner]) => ({ inner, _ref, ...others })),
      fc.record({ x: tie('value'), _weak: tie('value') }, { requiredKeys: ['x'] }),
    ),
  }))
  return fc.array(value, { minLength: 3, maxLength: 6 }).map((content) => ({ _id: 'x', _type: 't', content }))
}

/** The same value, in which each strong reference to a target is weak. */
function weak(value: unknown, targets: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((item) => weak(item, targets))
  if (typeof value !== 'object' || value === null) return value
  const { _ref: id, _weak: isWeak, _dataset: elsewhere } = value as Record<string, unknown>
  const members = Object.entries(value).map(([key, item]) => [key, weak(item, targets)] as const)
  const isStrong = typeof id === 'string' && isWeak !== true && elsewhere === undefined && !id.includes(':') && !id.startsWith('_.')
  return isStrong && targets.has(id) ? { ...Object.fromEntries(members), _weak: true } : Object.fromEntries(members)
}
