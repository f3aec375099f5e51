import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { indentDocument, indentedBytes, joinDocument } from '../../src/format/document-file.ts'

const file = (line: string): string => indentDocument(Buffer.from(line)).toString()

describe('indentDocument', () => {
  it.each([
    { name: 'an object', line: '{"_id":"a","_type":"post"}', gives: '{\n  "_id": "a",\n  "_type": "post"\n}\n' },
    { name: 'empty containers', line: '{"a":[],"b":{},"c":[{}]}', gives: '{\n  "a": [],\n  "b": {},\n  "c": [\n    {}\n  ]\n}\n' },
    { name: 'lists', line: '{"a":[1,2,[3]]}', gives: '{\n  "a": [\n    1,\n    2,\n    [\n      3\n    ]\n  ]\n}\n' },
    { name: 'brackets in strings', line: '{"a{[":"}],:\\" {"}', gives: '{\n  "a{[": "}],:\\" {"\n}\n' },
    { name: 'backslashes before a quote', line: '{"a":"\\\\","b":"\\\\\\""}', gives: '{\n  "a": "\\\\",\n  "b": "\\\\\\""\n}\n' },
    {
      name: 'numbers beyond a double',
      line: '{"n":12345678901234567890,"e":1e400,"z":-0}',
      gives: '{\n  "n": 12345678901234567890,\n  "e": 1e400,\n  "z": -0\n}\n',
    },
    { name: 'keys that come twice', line: '{"a":1,"a":2}', gives: '{\n  "a": 1,\n  "a": 2\n}\n' },
    { name: 'escapes', line: '{"a":"\\u00e9\\ud800\\/"}', gives: '{\n  "a": "\\u00e9\\ud800\\/"\n}\n' },
    { name: 'white space of its own', line: '{ "a":1,"b":{"c":2}}', gives: '{ "a":1,"b":{"c":2}}\n' },
    { name: 'white space at its end', line: '{"a":1}\r', gives: '{"a":1}\r\n' },
    { name: 'a tab behind a colon', line: '{"a":\t1}', gives: '{"a":\t1}\n' },
    { name: 'white space in an empty list', line: '{"a":[ ]}', gives: '{"a":[ ]}\n' },
    { name: 'an empty object', line: '{}', gives: '{}\n' },
  ])('writes $name', ({ line, gives }) => {
    expect(file(line)).toBe(gives)
    expect(joinDocument(Buffer.from(gives)).toString()).toBe(line)
    expect(indentedBytes(Buffer.from(line))).toBe(Buffer.byteLength(gives))
  })

  it('writes what JSON.stringify writes with two spaces, for values that it does not change', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        // An own key such as 2 would move to the front: the parsed value is what is printed.
        const line = JSON.stringify(value)
        expect(file(line)).toBe(`${JSON.stringify(JSON.parse(line), null, 2)}\n`)
      }),
      { numRuns: 10_000 },
    )
  })

  it('says in advance how large a file becomes that nobody could hold', () => {
    const deep = Buffer.from(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)
    expect(indentedBytes(deep)).toBeGreaterThan(10e9)
  })
})

describe('joinDocument', () => {
  it('gives back each line, byte for byte, with and without white space of its own', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), fc.constantFrom(undefined, 1, '\t'), (value, spaces) => {
        const line = Buffer.from(JSON.stringify(value, null, spaces).replaceAll('\n', spaces === undefined ? '' : '\r'))
        expect(joinDocument(indentDocument(line)).equals(line)).toBe(true)
      }),
      { numRuns: 10_000 },
    )
  })

  it('gives two different lines never the same file', () => {
    fc.assert(
      fc.property(spaced, spaced, (one, other) => {
        fc.pre(one !== other)
        expect(file(one)).not.toBe(file(other))
      }),
      { numRuns: 10_000 },
    )
  })

  it('comes to an end for every file, also one that nobody wrote', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
        const rest = joinDocument(Buffer.from([0x7b, 0x0a, ...bytes]))
        expect(rest.length).toBeLessThanOrEqual(bytes.length + 2)
      }),
      { numRuns: 10_000 },
    )
  })
})

/** Lines that differ in their white space. */
const spaced = fc
  .tuple(fc.constantFrom('', ' ', '\t'), fc.constantFrom('', ' ', '\r'), fc.constantFrom('', ' '))
  .map(([a, b, c]) => `{${a}"x":${b}[1]${c}}`)
