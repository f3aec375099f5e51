import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { demoDocuments } from '../../../demo/dataset.ts'
import { canonicalDigest, membersOf } from '../../../src/restore/canonical/canonical.ts'
import { canonicalText } from './canonical-text.ts'
import { anyDocument, anyDraw, anyId, changed, spelledAnyhow, spelledPlainly } from './documents.ts'

const runs = { seed: 1, numRuns: 2000 }

describe('canonicalDigest', () => {
  it('is the same however a document is spelled, whatever the order of its keys', () => {
    fc.assert(
      fc.property(anyDocument, anyDraw, (document, draw) => {
        const plain = spelledPlainly(document)
        const other = spelledAnyhow(document, draw)
        expect([canonicalText(other), digestOf(other)]).toEqual([canonicalText(plain), digestOf(plain)])
      }),
      runs,
    )
  })

  it('is another one exactly where the parser finds another document', () => {
    let different = 0
    fc.assert(
      fc.property(anyDocument, anyDraw, (document, draw) => {
        const before = spelledAnyhow(document, draw)
        const after = spelledAnyhow(changed(document, draw), draw)
        const isSame = canonicalText(before) === canonicalText(after)
        if (!isSame) different++
        expect(digestOf(before) === digestOf(after)).toBe(isSame)
      }),
      runs,
    )
    // Changes of which few change anything would prove little.
    expect(different).toBeGreaterThan(runs.numRuns / 2)
  })

  it('leaves out members at the top, and takes ids for others, as the parser would', () => {
    const anyNames = fc.uniqueArray(fc.constantFrom('_id', '_rev', '_ref', 'a', 'b', '', '__proto__'))
    const anyIds = fc.array(fc.tuple(anyId, anyId))
    fc.assert(
      fc.property(anyDocument, anyDraw, anyNames, anyIds, (document, draw, names, ids) => {
        const without = new Set(names)
        const references = new Map(ids)
        const text = spelledAnyhow(document, draw)
        expect(canonicalDigest(Buffer.from(text), { without, references }).toString('hex')).toBe(
          digestOf(canonicalText(text, { without, references })),
        )
      }),
      runs,
    )
  })

  it('is another one for each document of the demo, and the same with the keys the other way round', () => {
    const lines = [...demoDocuments(3, 500)].map(String)
    const digests = lines.map(digestOf)
    expect(new Set(digests).size).toBe(lines.length)
    expect(lines.map((line) => digestOf(JSON.stringify(reversed(JSON.parse(line)), null, 1)))).toEqual(digests)
  })

  it.each([
    { name: 'a number and the same with zeros', a: '1', b: '1.000' },
    { name: 'one with an exponent', a: '1', b: '10e-1' },
    { name: 'zero and less than nothing', a: '0', b: '-0.0E+7' },
    { name: 'too small for a double', a: '0.1e-400', b: '1E-401' },
    { name: 'too large for one', a: '1E+400', b: `1${'0'.repeat(400)}` },
    { name: 'far too large', a: '1e999999999999', b: '10e999999999998' },
    { name: 'an exponent longer than numbers are', a: `1e${'9'.repeat(1000)}`, b: `0.1e1${'0'.repeat(1000)}` },
    { name: 'a million zeros', a: `1e1000000`, b: `1${'0'.repeat(1_000_000)}` },
    { name: 'an escape and its letter', a: '"é/"', b: '"\\u00E9\\/"' },
    { name: 'a pair of escapes and their character', a: '"🙂"', b: '"\\ud83d\\ude42"' },
    { name: 'of one key twice and its last', a: '{"x":2}', b: '{"x":1,"x":2}' },
    { name: 'keys with escapes in another order', a: '{"\\n":1,"\\\\":2,"\\"":3}', b: '{"\\u005c":2,"\\u0022":3,"\\u000a":1}' },
    { name: 'a key twice in two spellings', a: '{"x":2}', b: '{"x":1,"\\u0078":2}' },
  ])('is the same for $name', ({ a, b }) => {
    expect(digestOf(`{"v":${a}}`)).toBe(digestOf(`{"v":${b}}`))
  })

  it.each([
    { name: 'integers that are one double', a: '12345678901234567890', b: '12345678901234567891' },
    { name: 'a thousand digits of which the last differs', a: `${'7'.repeat(999)}1`, b: `${'7'.repeat(999)}2` },
    { name: 'what doubles take for nothing', a: '1e-400', b: '0' },
    { name: 'what they take for endless', a: '1e400', b: '1e401' },
    { name: 'a sign', a: '1', b: '-1' },
    { name: 'a number and its text', a: '1', b: '"1"' },
    { name: 'half a pair and the sign for what is no character', a: '"\\ud800"', b: '"\ufffd"' },
    { name: 'the order of an array', a: '[1,2]', b: '[2,1]' },
    { name: 'nothing in an array and an empty one in it', a: '[]', b: '[[]]' },
    { name: 'an empty array and an empty object', a: '[]', b: '{}' },
    { name: 'a key that is a backslash and one that begins with one', a: '{"\\\\":1}', b: '{"\\n":1}' },
    { name: 'null and no member', a: '{"x":null}', b: '{}' },
    { name: 'how two keys are the same, whose first counts', a: '{"x":1,"x":2}', b: '{"x":2,"x":1}' },
  ])('tells apart $name', ({ a, b }) => {
    expect(digestOf(`{"v":${a}}`)).not.toBe(digestOf(`{"v":${b}}`))
  })

  it.each([10_000, 100_000])('is right for a document that is nested %d levels deep', (depth) => {
    const nested = (before: string, behind: string, leaf: string) => digestOf(`${before.repeat(depth)}${leaf}${behind.repeat(depth)}`)
    const inOrder = nested('{"a":[', '],"b":1}', '7')
    expect(nested('{"b":1,"a":[', ']}', '7')).toBe(inOrder)
    expect(nested('{"a":[', '],"b":1}', '8')).not.toBe(inOrder)
    expect(nested('{"b":1,"a":[', ']}', '8')).not.toBe(inOrder)
  })

  it('ends on any bytes, and takes what is no JSON for itself alone', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.array(fc.constantFrom(...'{}[]",:\\ux01-.e tn'), { maxLength: 30 }).map((a) => Buffer.from(a.join(''))),
    )
    fc.assert(
      fc.property(bytes, (some) => {
        const line = Buffer.from(some)
        const longer = Buffer.concat([line, Buffer.from('\\')])
        membersOf(line)
        expect(canonicalDigest(longer, { without: new Set() })).not.toEqual(canonicalDigest(line, { without: new Set() }))
      }),
      { seed: 1, numRuns: 5000 },
    )
  })
})

describe('membersOf', () => {
  it('finds the members that the parser finds, and where they stand', () => {
    fc.assert(
      fc.property(anyDocument, anyDraw, (document, draw) => {
        const text = spelledAnyhow(document, draw)
        const line = Buffer.from(text)
        const found = membersOf(line).map(({ key, keyAt, valueAt, valueEnd }) => {
          expect(JSON.parse(`{${line.toString('utf8', keyAt, valueEnd)}}`)).toEqual({ [key]: valueIn(line, valueAt, valueEnd) })
          return [key, valueIn(line, valueAt, valueEnd)] as const
        })
        expect(Object.fromEntries(found)).toEqual(JSON.parse(text))
      }),
      runs,
    )
  })

  it('gives a key twice that comes twice, in the order of the line', () => {
    expect(membersOf(Buffer.from(' {"b" : [1, 2] ,"\\u0061":{},"b":"}"}'))).toEqual([
      { key: 'b', keyAt: 2, valueAt: 8, valueEnd: 14 },
      { key: 'a', keyAt: 16, valueAt: 25, valueEnd: 27 },
      { key: 'b', keyAt: 28, valueAt: 32, valueEnd: 35 },
    ])
  })

  it('finds none in what is no object, or an empty one', () => {
    expect(['{}', ' { } ', '[1]', '"a"', ''].map((text) => membersOf(Buffer.from(text)))).toEqual([[], [], [], [], []])
  })
})

function digestOf(text: string): string {
  return canonicalDigest(Buffer.from(text), { without: new Set() }).toString('hex')
}

function valueIn(line: Buffer, start: number, end: number): unknown {
  return JSON.parse(line.toString('utf8', start, end))
}

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, item]) => [key, reversed(item)])
      .reverse(),
  )
}
