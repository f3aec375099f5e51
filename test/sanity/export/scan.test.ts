import { isUtf8 } from 'node:buffer'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { demoDocuments } from '../../../demo/dataset.ts'
import { quickScan } from '../../../src/sanity/export/quick-scan.ts'
import { isJson, type Scanned, scanDocument, scanObject } from '../../../src/sanity/export/scan.ts'

const anyName = fc.oneof(
  fc.constantFrom('a', 'drafts.a', 'é🙂', '_.groups.public', ' ', '\u007f\u0080\u2028\uffff', '__proto__'),
  fc.string({ minLength: 1 }),
)
const anyKey = fc.oneof(fc.constantFrom('_id', '_type', '__proto__', '_i', '_idd', 'id', ''), fc.string())

type Scanner = (line: Buffer) => Scanned | undefined
const scanners: readonly { readonly name: string; readonly scan: Scanner }[] = [
  { name: 'scanDocument', scan: scanDocument },
  { name: 'quickScan', scan: quickScan },
]

describe.each(scanners)('$name', ({ scan }) => {
  it('finds what every document is called that has no escape where it matters, however it is written', () => {
    const withoutEscape = anyName.filter((name) => JSON.stringify(name) === `"${name}"`)
    const fields = fc.dictionary(
      fc.string().filter((key) => JSON.stringify(key) === `"${key}"`),
      fc.jsonValue({ maxDepth: 5 }),
    )
    fc.assert(
      fc.property(fields, withoutEscape, withoutEscape, fc.constantFrom(0, 1, '\t', ' \r\n'), (others, _id, _type, indent) => {
        const line = Buffer.from(JSON.stringify({ ...others, _id, _type }, null, indent))
        expect(scan(line)).toEqual({ id: _id, type: _type })
      }),
      { numRuns: 5000 },
    )
  })

  it('never finds one where the parser does not, and then finds the same', () => {
    let found = 0
    fc.assert(
      fc.property(fc.oneof(damagedDocument(), tokens(), writtenOddly()), (line) => {
        const scanned = scan(line)
        if (scanned) found++
        // What was left to the parser, or is no document, has no answer to compare.
        expect(scanned ?? parsed(line)).toEqual(parsed(line))
      }),
      { numRuns: 30_000 },
    )
    expect(found).toBeGreaterThan(1000)
  })

  it('finds each document of the demo', () => {
    for (const line of demoDocuments(3, 2000)) expect(scan(line)).toEqual(parsed(line))
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
  ])('leaves $name to the parser, which refuses it', ({ value }) => {
    for (const text of [
      `{"_id":"a","_type":"b","x":${value}}`,
      `{"x":${value},"_id":"a","_type":"b"}`,
      `{"x":[${value}],"_id":"a","_type":"b"}`,
    ]) {
      expect([scan(Buffer.from(text)), text === '{"x":[],"_id":"a","_type":"b"}' ? undefined : parsed(Buffer.from(text))]).toEqual([
        text === '{"x":[],"_id":"a","_type":"b"}' ? { id: 'a', type: 'b' } : undefined,
        undefined,
      ])
    }
  })
})

describe('what is nested deep', () => {
  const nested = (open: string, close: string, depth: number) =>
    Buffer.from(`{"_id":"a","_type":"b","x":${open.repeat(depth)}1${close.repeat(depth)}}`)
  it.each([
    { name: 'lists', open: '[', close: ']' },
    { name: 'objects', open: '{"y":', close: '}' },
  ])('is left to scanDocument by quickScan, and scanned there however deep: $name', ({ open, close }) => {
    expect([511, 512].map((depth) => quickScan(nested(open, close, depth)))).toEqual([{ id: 'a', type: 'b' }, undefined])
    for (const depth of [511, 512, 513, 1024, 1025, 500_000]) {
      const whole = nested(open, close, depth)
      expect([depth, scanDocument(whole)]).toEqual([depth, { id: 'a', type: 'b' }])
      expect(scanDocument(whole.subarray(0, -1))).toBeUndefined()
      expect(scanDocument(nested(open, `${close}`.replace(/./, '?'), depth))).toBeUndefined()
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

describe('quickScan', () => {
  it('agrees with scanDocument on a line that holds everything, whichever byte is another', () => {
    const line = Buffer.from('{"a":[{}, [],-1.5e+3,0E-1,"\\u00aF\\n\\/"],"_id":"ä","b":{"c":true,"d":false,"e":null},"_type":"t","z":12}')
    const count = { found: 0, left: 0 }
    for (let at = 0; at < line.length; at++) {
      for (let byte = 0; byte < 256; byte++) {
        const other = Buffer.from(line)
        other[at] = byte
        if (!isUtf8(other)) continue
        const quick = quickScan(other)
        if (quick) count.found++
        // An escape in a name is left to the other.
        if (!quick && scanDocument(other)) count.left++
        else expect([at, byte, quick]).toEqual([at, byte, scanDocument(other)])
      }
    }
    expect(count.found).toBeGreaterThan(1000)
    expect(count.left).toBeLessThan(20)
  })

  it('sees a quote, a backslash and a control character wherever they stand in a string', () => {
    for (let before = 0; before < 40; before++) {
      for (let behind = 0; behind < 40; behind++) {
        const line = (middle: string) => Buffer.from(`{"_id":"a","_type":"b","x":"${'é'.repeat(before)}${middle}${'z'.repeat(behind)}"}`)
        const isFound = ['\\"', '\\u00e9', '\\', '"', '\0', '\n', '\u001f', '\u007f'].map((middle) => quickScan(line(middle)) !== undefined)
        // What a lone backslash does depends on the letter behind it: z is none, the closing quote is escaped.
        expect(isFound).toEqual([true, true, false, false, false, false, false, true])
      }
    }
  })

  it('takes what fits into its memory, and leaves what is longer', () => {
    const mostBytes = 17 * 64 * 1024 - 80
    const long = (bytes: number) => {
      const [head, tail] = ['{"_id":"a","_type":"b","x":"', '"}'] as const
      return Buffer.from(head + 'x'.repeat(bytes - head.length - tail.length) + tail)
    }
    expect([quickScan(long(mostBytes)), quickScan(long(mostBytes + 1))]).toEqual([{ id: 'a', type: 'b' }, undefined])
    // A string that is not ended is not ended by what an earlier line left behind it.
    expect(quickScan(Buffer.from('{"_id":"a","_type":"b","x":"xx'))).toBeUndefined()
    expect(quickScan(long(mostBytes).subarray(0, -2))).toBeUndefined()
  })

  it.each([
    { name: 'a key of the document', line: '{"_id":"a","_type":"b","\\u005fid":"c"}' },
    { name: 'the _id', line: '{"_id":"\\u0061","_type":"b"}' },
    { name: 'the _type', line: '{"_id":"a","_type":"\\n"}' },
  ])('leaves an escape in $name to scanDocument', ({ line }) => {
    expect([quickScan(Buffer.from(line)), scanDocument(Buffer.from(line))]).toEqual([undefined, parsed(Buffer.from(line))])
  })

  it('takes every escape everywhere else', () => {
    const escapes = '\\"\\\\\\/\\b\\f\\n\\r\\t\\u09aF'
    const line = Buffer.from(`{"x":"${escapes}","_id":"a","y":{"${escapes}":"c"},"_type":"b"}`)
    expect(quickScan(line)).toEqual({ id: 'a', type: 'b' })
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
