import { isUtf8 } from 'node:buffer'
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { demoDocuments } from '../../../demo/dataset.ts'
import { isJson, scanDocument, scanObject } from '../../../src/streams/json/scan.ts'

const anyName = fc.oneof(
  fc.constantFrom('a', 'drafts.a', 'é🙂', '_.groups.public', ' ', '\u007f\u0080\u2028\uffff', '__proto__'),
  fc.string({ minLength: 1 }),
)
const anyKey = fc.oneof(fc.constantFrom('_id', '_type', '__proto__', '_i', '_idd', 'id', ''), fc.string())

describe('scanDocument', () => {
  it('finds what every document is called, however it is written', () => {
    const fields = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 }))
    fc.assert(
      fc.property(fields, anyName, anyName, fc.constantFrom(0, 1, '\t', ' \r\n'), (others, _id, _type, indent) => {
        const line = Buffer.from(JSON.stringify({ ...others, _id, _type }, null, indent))
        expect(scanDocument(line)).toEqual({ id: _id, type: _type })
      }),
      { numRuns: 5000 },
    )
  })

  it('finds one exactly where the parser does, and the same', () => {
    let found = 0
    fc.assert(
      fc.property(fc.oneof(damagedDocument(), tokens(), writtenOddly()), (line) => {
        const scanned = scanDocument(line)
        if (scanned) found++
        expect(scanned).toEqual(parsed(line))
      }),
      { numRuns: 30_000 },
    )
    // Lines of which none is a document would prove little.
    expect(found).toBeGreaterThan(1000)
  })

  it('finds each document of the demo', () => {
    for (const line of demoDocuments(3, 2000)) expect(scanDocument(line)).toEqual(parsed(line))
  })

  it('agrees with the parser on a line that holds everything, whichever byte is another', () => {
    const line = Buffer.from('{"a":[{}, [],-1.5e+3,0E-1,"\\u00aF\\n\\/"],"_id":"ä","b":{"c":true,"d":false,"e":null},"_type":"t","z":12}')
    const others = [...line.keys()].flatMap((at) => Array.from({ length: 256 }, (_, byte) => line.with(at, byte)))
    const differing = others
      .map((other) => Buffer.from(other))
      .filter(isUtf8)
      .filter((other) => !isDeepStrictEqual(scanDocument(other), parsed(other)))
    expect(differing).toEqual([])
  })

  it('sees a quote, a backslash and a control character wherever they stand in a string', () => {
    for (let before = 0; before < 40; before++) {
      for (let behind = 0; behind < 40; behind++) {
        const line = (middle: string) => Buffer.from(`{"_id":"a","_type":"b","x":"${'é'.repeat(before)}${middle}${'z'.repeat(behind)}"}`)
        const isFound = ['\\"', '\\u00e9', ' ', '!', '\\', '"', '\0', '\n', '\u001f', '\u007f'].map(
          (middle) => scanDocument(line(middle)) !== undefined,
        )
        // What a lone backslash does depends on the letter behind it: z is none, the closing quote is escaped.
        expect(isFound).toEqual([true, true, true, true, false, false, false, false, false, true])
      }
    }
  })

  it.each([
    { name: 'a number with a zero in front', value: '01' },
    { name: 'a number that ends with a point', value: '1.' },
    { name: 'a number that begins with one', value: '.5' },
    { name: 'an exponent without digits', value: '1e' },
    { name: 'a minus alone', value: '-' },
    { name: 'a plus in front', value: '+1' },
    { name: 'NaN', value: 'NaN' },
    { name: 'half a word', value: 'tru' },
    { name: 'a word with more behind it', value: 'nulll' },
    { name: 'a control character in a string', value: '"\u0001"' },
    { name: 'an unknown escape', value: '"\\x"' },
    { name: 'a short Unicode escape', value: '"\\u12g4"' },
    { name: 'a Unicode escape that the string ends in', value: '"\\u12"' },
    { name: 'a string that is not ended', value: '"' },
    { name: 'a comma at the end of a list', value: '[1,]' },
    { name: 'a comma at the end of an object', value: '{"a":1,}' },
    { name: 'a comma at the start', value: '[,1]' },
    { name: 'a key without quotes', value: '{a:1}' },
    { name: 'a key without value', value: '{"a"}' },
    { name: 'brackets that cross', value: '[{"a":1]}' },
    { name: 'a bracket too many', value: '[1]]' },
    { name: 'a bracket too few', value: '[[1]' },
    { name: 'a space beyond ASCII', value: '\u00a01' },
    { name: 'nothing', value: '' },
  ])('finds nothing in a line with $name, which the parser refuses', ({ value }) => {
    const lines = [
      `{"_id":"a","_type":"b","x":${value}}`,
      `{"x":${value},"_id":"a","_type":"b"}`,
      `{"x":[1,${value}],"_id":"a","_type":"b"}`,
    ]
    expect(lines.map((line) => [scanDocument(Buffer.from(line)), parsed(Buffer.from(line))])).toEqual(
      lines.map(() => [undefined, undefined]),
    )
  })

  it.each([
    { name: 'lists', open: '[', close: ']', other: '}' },
    { name: 'objects', open: '{"y":', close: '}', other: ']' },
  ])('finds a document however deep it is nested in $name, and none where a bracket is missing or another', ({ open, close, other }) => {
    const nested = (depth: number, end: string) =>
      Buffer.from(`{"_id":"a","_type":"b","x":${open.repeat(depth)}1${end}${close.repeat(depth - 1)}}`)
    for (const depth of [1, 511, 512, 513, 1024, 1025, 500_000]) {
      const whole = nested(depth, close)
      expect([depth, scanDocument(whole), scanDocument(whole.subarray(0, -1)), scanDocument(nested(depth, other))]).toEqual([
        depth,
        { id: 'a', type: 'b' },
        undefined,
        undefined,
      ])
    }
  })
})

describe('scanObject and isJson', () => {
  it('find what the parser finds, in whatever is written', () => {
    fc.assert(
      fc.property(fc.oneof(damagedDocument(), tokens(), writtenOddly(), fc.json().map(Buffer.from)), (line) => {
        const value = valueIn(line)
        const names = objectIn(value)
        expect([isJson(line), scanObject(line)]).toEqual([
          value !== undefined,
          names && { id: nameIn(names['_id']), type: nameIn(names['_type']) },
        ])
      }),
      { numRuns: 20_000 },
    )
  })
})

/** What the parser makes of a line; undefined if it refuses it. */
function valueIn(line: Buffer): { readonly is: unknown } | undefined {
  try {
    return { is: JSON.parse(line.toString()) as unknown }
  } catch {
    return undefined
  }
}

function objectIn(value: { readonly is: unknown } | undefined): Record<string, unknown> | undefined {
  const is = value?.is
  return typeof is === 'object' && is !== null && !Array.isArray(is) ? (is as Record<string, unknown>) : undefined
}

function nameIn(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** What the parser makes of a line: what the document is called; undefined if it is none. */
function parsed(line: Buffer): { id: string; type: string } | undefined {
  if (!isUtf8(line)) return undefined
  try {
    const { _id: id, _type: type } = JSON.parse(line.toString()) as Record<string, unknown>
    return typeof id === 'string' && id !== '' && typeof type === 'string' && type !== '' ? { id, type } : undefined
  } catch {
    return undefined
  }
}

/** A document of which a few bytes were changed, left out or put in; still valid UTF-8, as every line is that is scanned. */
function damagedDocument(): fc.Arbitrary<Buffer> {
  const damage = fc.record({
    at: fc.nat(10_000),
    remove: fc.nat(2),
    insert: fc.constantFrom('', '', '"', '\\', '{', '}', '[', ']', ',', ':', '0', '-', '.', 'e', 'u', ' ', '\t', '\0', 'é', 'true'),
  })
  const document = fc
    .record({ _id: anyName, _type: anyName, x: fc.jsonValue({ maxDepth: 4 }), y: fc.jsonValue({ maxDepth: 2 }) })
    .map((value) => JSON.stringify(value))
  return fc.tuple(document, fc.array(damage, { maxLength: 3 })).map(([text, damages]) => {
    let result = [...text]
    for (const { at, remove, insert } of damages) {
      const place = at % (result.length + 1)
      result = [...result.slice(0, place), insert, ...result.slice(place + remove)]
    }
    return Buffer.from(result.join(''))
  })
}

/** Pieces of JSON in any order. */
function tokens(): fc.Arbitrary<Buffer> {
  const start = fc.constantFrom('{"_id":"a","_type":"b"', '{"_type":"b","_id":"a","x":', ' {')
  const token = fc.constantFrom(
    ...[
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"_id"',
      '"_type"',
      '"a"',
      '""',
      '"\\u005fid"',
      '"\\n"',
      '"é"',
      ' ',
      '\t',
      '\r',
      '\n',
      '\f',
      '1',
      '-0',
    ],
    ...[
      '0.5',
      '1e+9',
      '1E-9',
      '-',
      'true',
      'false',
      'null',
      '\\',
      '"',
      ',"x":',
      ',"x":[',
      ',"x":{"y":',
      '"_id":"c"',
      ',"_id":7',
      ',"_type":null',
    ],
  )
  return fc.tuple(start, fc.array(token, { maxLength: 8 }), fc.constantFrom('', '}', ']}', '}}')).map(([head, middle, tail]) => {
    return Buffer.from(head + middle.join('') + tail)
  })
}

/** Documents with any keys, some twice, some spelled with escapes, and white space where it may be. */
function writtenOddly(): fc.Arbitrary<Buffer> {
  const escaped = (text: string) => `"${[...text].map((letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`
  const text = fc.tuple(anyKey, fc.boolean()).map(([key, isEscaped]) => (isEscaped ? escaped(key) : JSON.stringify(key)))
  const value = fc.oneof(
    text,
    fc.jsonValue({ maxDepth: 2 }).map((each) => JSON.stringify(each)),
  )
  const gap = fc.constantFrom('', '', '', ' ', '\t', '\r', '\n', '\v')
  const member = fc.tuple(gap, text, gap, value, gap).map(([a, key, b, each, c]) => `${a}${key}${b}:${each}${c}`)
  return fc.array(member, { minLength: 1, maxLength: 6 }).map((members) => Buffer.from(`{"_id":"a","_type":"b",${members.join(',')}}`))
}
