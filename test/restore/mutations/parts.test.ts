import { describe, expect, it } from '@jest/globals'
import { fitsInOne, partsOf } from '../../../src/restore/mutations/parts.ts'

const text = (bytes: number): string => 'x'.repeat(bytes)
const lineOf = (document: object): Buffer => Buffer.from(JSON.stringify(document))

/** What the parts make of a document when one after the other is written. */
function joined(line: Buffer): Record<string, unknown> {
  const parts = partsOf(line)
  const objects = [parts?.first, ...(parts?.groups ?? [])].map((part) => JSON.parse(String(part)) as object)
  return Object.assign({}, ...objects) as Record<string, unknown>
}

describe('a document that is too large for one mutation', () => {
  it('is written first with what is small, and then the rest, each in less than 4 MB', () => {
    const document = { _id: 'a', _type: 'post', a: text(3_000_000), b: text(2_000_000), c: 1, d: text(1_900_000), _createdAt: 't' }
    const line = lineOf(document)
    expect(fitsInOne(line.length)).toBe(false)
    const { first, groups } = partsOf(line) ?? { first: Buffer.alloc(0), groups: [] }
    expect(Object.keys(JSON.parse(first.toString()) as object)).toEqual(['_id', '_type', '_createdAt', 'c', 'd', 'b'])
    expect([first, ...groups].every(({ length }) => length < 4_000_000)).toBe(true)
    expect(joined(line)).toEqual(document)
  })

  it('keeps the digits of its numbers', () => {
    const line = Buffer.from(`{"_id":"a","_type":"t","n":12345678901234567891,"x":"${text(4_000_000 - 2_100)}"}`)
    expect(partsOf(line)?.first.toString()).toContain('12345678901234567891')
  })

  it.each([
    { why: 'one of its fields is too large', document: { _id: 'a', _type: 't', a: text(4_000_000) } },
    { why: 'a field has a name that a patch would take for a path', document: { _id: 'a', _type: 't', 'a.b': text(4_000_000) } },
    {
      why: 'what begins with an underscore, which no patch may set, is too large',
      document: { _id: 'a', _type: 't', _x: text(4_000_000) },
    },
  ])('cannot be written in parts if $why', ({ document }) => {
    expect(partsOf(lineOf(document))).toBeUndefined()
  })

  it('has the last of the members that have the same name', () => {
    const line = Buffer.from(`{"_id":"a","_type":"t","k":"long, but first","k":"last","x":"${text(3_990_000)}"}`)
    expect(joined(line)['k']).toBe('last')
  })

  it('may have very many members', () => {
    const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`a-${index}`, text(35)]))
    expect(partsOf(lineOf({ _id: 'a', _type: 't', ...many }))).toBeUndefined()
  })
})
