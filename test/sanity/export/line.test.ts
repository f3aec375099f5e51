import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { classifyLine } from '../../../src/sanity/export/line.ts'

const noId = { kind: 'invalid', why: 'it has no _id', incomplete: false }
const noType = { kind: 'invalid', why: 'it has no _type', incomplete: false }
const noObject = { kind: 'invalid', why: 'it is not a JSON object', incomplete: false }
const noJson = { kind: 'invalid', why: 'it is not valid JSON', incomplete: true }
/** Neither JSON nor the start of it. */
const nothingLikeIt = { ...noJson, incomplete: false }
const noText = { kind: 'invalid', why: 'it is not valid UTF-8', incomplete: true }
const post = { kind: 'document', id: 'a', type: 'post' }

describe('a line that is a document', () => {
  it.each([
    { name: 'plain', line: '{"_id":"a","_type":"post"}' },
    { name: 'with white space around it', line: ' \t{ "_id" : "a" , "_type" : "post" } \r' },
    { name: 'with a string field called error', line: '{"_id":"a","_type":"post","error":"something"}' },
    { name: 'with an object field called error', line: '{"error":{"description":"x"},"_id":"a","_type":"post"}' },
    { name: 'with a field called nextCursor', line: '{"_id":"a","_type":"post","nextCursor":"x"}' },
    { name: 'with statusCode, error and message', line: '{"statusCode":500,"error":"x","message":"y","_id":"a","_type":"post"}' },
    { name: 'with __proto__', line: '{"__proto__":{"_id":"b"},"_id":"a","_type":"post"}' },
    { name: 'with duplicate keys, of which the last counts', line: '{"_id":"b","_id":"a","_type":"page","_type":"post"}' },
    { name: 'with numbers beyond a double', line: '{"_id":"a","_type":"post","n":[12345678901234567890,1e400,-0]}' },
    { name: 'with lone surrogates escaped', line: '{"_id":"a","_type":"post","s":"\\ud800"}' },
    { name: 'with line separators and NUL escaped', line: '{"_id":"a","_type":"post","s":"\u2028\\u0000"}' },
    { name: 'nested 100,000 deep', line: `{"_id":"a","_type":"post","x":${'['.repeat(100_000)}${']'.repeat(100_000)}}` },
    { name: 'nested 1,000,000 deep', line: `{"_id":"a","_type":"post","x":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}` },
    {
      name: 'of more than 1 MB, nested 600 deep',
      line: `{"_id":"a","_type":"post","s":"${'y'.repeat(2_000_000)}","x":${'{"y":['.repeat(300)}1${']}'.repeat(300)}}`,
    },
  ])('is found as one: $name', ({ line }) => {
    expect(classifyLine(Buffer.from(line))).toEqual(post)
  })

  it('is every JSON object with a string _id and a string _type, whatever else it holds', () => {
    const named = fc.record({ _id: fc.string({ minLength: 1 }), _type: fc.string({ minLength: 1 }) })
    const fields = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }))
    fc.assert(
      fc.property(fields, named, (others, { _id, _type }) => {
        // The runner's JSON has lone surrogates escaped, which are no UTF-8.
        const line = Buffer.from(JSON.stringify({ ...others, _id, _type }))
        expect(classifyLine(line)).toEqual({ kind: 'document', id: _id, type: _type })
      }),
      { numRuns: 10_000 },
    )
  })
})

describe('a line that is an error of the server', () => {
  it.each([
    {
      name: 'with status, on its own line',
      line: '{"statusCode":500,"error":"Internal Server Error","message":"query timed out"}',
      description: 'HTTP 500: Internal Server Error: query timed out',
    },
    { name: 'without status', line: '{"error":{"description":"query timed out"}}', description: 'query timed out' },
    { name: 'with a message inside', line: '{"error":{"message":"query timed out","type":"x"}}', description: 'query timed out' },
    { name: 'as a string', line: '{"error":"query timed out"}', description: 'query timed out' },
    { name: 'that says the same twice', line: '{"error":"timed out","message":"timed out"}', description: 'timed out' },
    { name: 'without words', line: '{"error":{}}', description: 'no reason was given' },
    {
      name: 'with all that Sanity has been seen to send',
      line: '{"statusCode":404,"error":"Not Found","message":"gone","errorCode":"SIO-404-PNF","attributes":{"type":"project"}}',
      description: 'HTTP 404: Not Found: gone',
    },
    {
      name: 'with the query that failed',
      line: '{"error":{"type":"queryParseError","description":"no","query":"*[","start":1,"end":2}}',
      description: 'no',
    },
    {
      name: 'glued behind more than 1 MB',
      line: `{"_id":"b","x":"${'y'.repeat(2_000_000)}{"error":"unable to scan"}`,
      description: 'unable to scan',
    },
    { name: 'glued into a key', line: '{"_id":"b","ti{"error":{"description":"unable to scan"}}', description: 'unable to scan' },
    {
      name: 'glued into a string',
      line: '{"_id":"b","_type":"post","title":"Hel{"error":{"description":"unable to scan"}}',
      description: 'unable to scan',
    },
    { name: 'glued, with a string', line: '{"_id":"b","ti{"error":"unable to scan"}', description: 'unable to scan' },
    {
      name: 'glued, with statusCode first',
      line: '{"_id":"b","ti{"statusCode":500,"error":"Internal Server Error","message":"unable to scan"}',
      description: 'HTTP 500: Internal Server Error: unable to scan',
    },
    {
      name: 'glued, with nested braces',
      line: '{"_id":"b","ti{"error":{"type":"t","items":[{"error":{"description":"inner"}}],"description":"outer"}}',
      description: 'outer',
    },
    {
      name: 'glued, with braces in its words',
      line: '{"_id":"b","ti{"error":{"description":"expected \\"}\\" or {\\"a"}}',
      description: 'expected "}" or {"a',
    },
    {
      name: 'glued behind a document that is whole',
      line: '{"_id":"b","_type":"post"}{"error":{"description":"unable to scan"}}',
      description: 'unable to scan',
    },
    {
      name: 'glued behind a whole document, as a string',
      line: '{"_id":"b","_type":"t","x":1}{"error":"unable to scan"}',
      description: 'unable to scan',
    },
    {
      name: 'with a workflow command in its words',
      line: '{"error":"::error::x\\n::set-output name=a::b"}',
      description: ': :error::x : :set-output name=a::b',
    },
  ])('is found: $name', ({ line, description }) => {
    expect(classifyLine(Buffer.from(line))).toEqual({ kind: 'error', description })
  })

  it('is repeated in 300 characters at most', () => {
    const line = classifyLine(Buffer.from(JSON.stringify({ error: 'x'.repeat(100_000) })))
    expect(line).toEqual({ kind: 'error', description: `${'x'.repeat(299)}…` })
  })
})

describe('a line that holds an error of its own and is no document', () => {
  it.each([
    { name: 'without an _id', line: '{"_type":"post","title":"x","error":"CONTENT"}' },
    { name: 'with null as _id', line: '{"_id":null,"_type":"post","error":{"description":"CONTENT"}}' },
    { name: 'with an empty _id', line: '{"_id":"","_type":"post","error":"CONTENT","message":"CONTENT"}' },
    { name: 'with an empty _id alone', line: '{"_id":"","error":"CONTENT"}' },
    { name: 'with a number as _id', line: '{"_id":5,"error":"CONTENT"}' },
    { name: 'which is a part of a document', line: '{"_key":"k","_type":"block","error":"CONTENT"}' },
    { name: 'with all that Sanity sends, and a _type', line: '{"statusCode":500,"error":"CONTENT","message":"CONTENT","_type":"log"}' },
    { name: 'with another field', line: '{"title":"CONTENT","error":"CONTENT"}' },
    { name: 'with another field in the error', line: '{"error":{"_type":"log","description":"CONTENT"}}' },
    { name: 'with a list of them', line: '{"error":["CONTENT"]}' },
    { name: 'with null', line: '{"error":null,"message":"CONTENT"}' },
    { name: 'with a status in words', line: '{"statusCode":"CONTENT","error":"CONTENT"}' },
    { name: 'with __proto__', line: '{"__proto__":{"x":1},"error":"CONTENT"}' },
    { name: 'with a cursor', line: '{"_type":"post","nextCursor":"CONTENT"}' },
    { name: 'with a cursor and a field of its own', line: '{"nextCursor":"CONTENT","title":"x"}' },
    { name: 'with a cursor behind a field of its own', line: '{"title":"x","nextCursor":"CONTENT"}' },
    { name: 'with a cursor and an error', line: '{"nextCursor":"CONTENT","error":"CONTENT"}' },
    { name: 'with a cursor and __proto__', line: '{"__proto__":"x","nextCursor":"CONTENT"}' },
  ])('is not quoted, and has no _id: $name', ({ line }) => {
    expect(classifyLine(Buffer.from(line))).toEqual(noId)
  })

  it.each([
    { name: 'in a list', line: '{"_id":"b","_type":"t","list":[{"a":1},{"error":"CONTENT"}' },
    { name: 'first in a list', line: '{"_id":"b","_type":"t","list":[{"error":"CONTENT"}' },
    { name: 'as a value', line: '{"_id":"b","_type":"log","last":{"error":"CONTENT"}' },
    { name: 'as a value, with white space', line: '{"_id":"b","_type":"log","last": {"error":"CONTENT"}' },
    { name: 'far behind the start', line: `{"_id":"b","x":"${'y'.repeat(2_000_000)}","last":{"error":"CONTENT"}` },
    { name: 'deep inside', line: `${'{"x":[1,'.repeat(60_000)}{"error":"CONTENT"}` },
    { name: 'in a second document', line: '{"_id":"b","_type":"t","x":1} {"_id":null,"error":"CONTENT"}' },
    { name: 'in a second document without _id', line: '{"_id":"b","_type":"t"}{"_type":"t","error":"CONTENT"}' },
  ])('is not quoted where it is cut off: $name', ({ line }) => {
    expect(classifyLine(Buffer.from(line))).toEqual(noJson)
  })

  it('is never taken for an error of the server’s, wherever it is cut and whichever field it lacks', () => {
    const words = fc.constantFrom('CONTENT', 'a {"error":"CONTENT"}', '}', '')
    const error = fc.oneof(words, fc.record({ description: words, message: words, type: words }, { requiredKeys: [] }))
    const errors = fc.record({ error, message: words, statusCode: fc.nat(599), list: fc.array(fc.record({ error })) }, { requiredKeys: [] })
    const document = fc.record(
      { _id: fc.constantFrom(null, '', 5, 'a'), _type: fc.constant('t'), last: errors },
      { requiredKeys: ['_type'] },
    )
    fc.assert(
      fc.property(document, errors, fc.nat(), fc.boolean(), (names, fields, place, isCut) => {
        const whole = Buffer.from(JSON.stringify({ ...fields, ...names }))
        expect(classifyLine(isCut ? whole.subarray(0, place % whole.length) : whole).kind).not.toBe('error')
      }),
      { numRuns: 20_000 },
    )
  })
})

describe('a line that is neither', () => {
  it.each([
    { name: 'nothing', line: '', is: { kind: 'blank' } },
    { name: 'white space', line: ' \t\r', is: { kind: 'blank' } },
    { name: 'a cursor', line: '{"nextCursor":"taZ9fp"}', is: { kind: 'cursor', cursor: 'taZ9fp' } },
    { name: 'an empty cursor', line: '{"nextCursor":""}', is: { kind: 'cursor', cursor: '' } },
    { name: 'a cursor that is no string', line: '{"nextCursor":5}', is: noId },
    { name: 'a message without error', line: '{"message":"API rate limit exceeded"}', is: noId },
    { name: 'an empty object', line: '{}', is: noId },
    { name: 'a number as _id', line: '{"_id":5}', is: noId },
    { name: 'a number as _id, with _type', line: '{"_id":5,"_type":"post"}', is: noId },
    { name: 'an _id in __proto__', line: '{"__proto__":{"_id":"a","_type":"post"}}', is: noId },
    { name: 'no _id, in more than 1 MB', line: `{"_type":"post","x":"${'y'.repeat(2_000_000)}"}`, is: noId },
    { name: 'no _id, nested 600 deep', line: `{"x":${'['.repeat(600)}${']'.repeat(600)}}`, is: noId },
    { name: 'no _type, in more than 1 MB', line: `{"_id":"a","x":"${'y'.repeat(2_000_000)}"}`, is: noType },
    { name: 'a list of more than 1 MB', line: `["${'y'.repeat(2_000_000)}"]`, is: noObject },
    { name: 'no _type', line: '{"_id":"a"}', is: noType },
    { name: 'an empty _type', line: '{"_id":"a","_type":""}', is: noType },
    { name: 'an object as _type', line: '{"_id":"a","_type":{}}', is: noType },
    { name: 'null as _type', line: '{"_id":"a","_type":null}', is: noType },
    { name: 'an empty _id', line: '{"_id":"","_type":"post"}', is: noId },
    { name: 'true', line: 'true', is: noObject },
    { name: 'null', line: 'null', is: noObject },
    { name: 'a number', line: '42', is: noObject },
    { name: 'a string', line: '"{\\"_id\\":1}"', is: noObject },
    { name: 'an array of documents', line: '[{"_id":"a","_type":"post"}]', is: noObject },
    { name: 'half a document', line: '{"_id":"a","_type":"po', is: noJson },
    { name: 'two documents', line: '{"_id":"a","_type":"post"}{"_id":"b","_type":"post"}', is: noJson },
    { name: 'a document with a comma too many', line: '{"_id":"a","_type":"post",}', is: noJson },
    { name: 'a document with a raw tab in a string', line: '{"_id":"a","_type":"po\tst"}', is: noJson },
    { name: 'the first line of pretty-printed JSON', line: '{', is: noJson },
    { name: 'HTML', line: '<html><body>502 Bad Gateway</body></html>', is: nothingLikeIt },
    { name: 'a byte order mark', line: '\ufeff{"_id":"a","_type":"post"}', is: nothingLikeIt },
    { name: 'NUL bytes', line: '\0\0\0', is: nothingLikeIt },
    { name: '100,000 open brackets', line: '['.repeat(100_000), is: nothingLikeIt },
    { name: 'two million open brackets', line: '['.repeat(2_000_000), is: nothingLikeIt },
    { name: 'a document of more than 1 MB that is cut off', line: `{"_id":"a","_type":"post","x":"${'y'.repeat(2_000_000)}`, is: noJson },
    { name: '100,000 open objects', line: '{"a":'.repeat(100_000), is: noJson },
  ])('is known for what it is: $name', ({ line, is }) => {
    expect(classifyLine(Buffer.from(line))).toEqual(is)
  })

  it.each([
    { name: 'half a character', bytes: Buffer.from('{"_id":"a","_type":"ü').subarray(0, -1) },
    { name: 'Latin-1', bytes: Buffer.from('{"_id":"a","_type":"ü"}', 'latin1') },
    { name: 'an overlong slash', bytes: Buffer.from([...Buffer.from('{"_id":"a","_type":"'), 0xc0, 0xaf, 0x22, 0x7d]) },
    { name: 'a lone surrogate in UTF-8', bytes: Buffer.from([0x7b, 0xed, 0xa0, 0x80, 0x7d]) },
  ])('is no text: $name', ({ bytes }) => {
    expect(classifyLine(bytes)).toEqual(noText)
  })
})

describe('any line', () => {
  const anyBytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.string({ unit: 'binary', maxLength: 200 }).map((text) => Buffer.from(text)),
    fc.json().map((text) => Buffer.from(text)),
    // Documents and errors, cut and put together anywhere.
    fc
      .array(
        fc.constantFrom(
          '{"_id":"a"',
          ',"_type":"b"',
          '{"error":',
          '{"description":"x"}',
          '}',
          '"',
          '[',
          '{"statusCode":5,',
          '"nextCursor":"',
        ),
        {
          maxLength: 12,
        },
      )
      .map((parts) => Buffer.from(parts.join(''))),
  )

  it('is classified without an error', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        expect(['document', 'error', 'cursor', 'blank', 'invalid']).toContain(classifyLine(bytes).kind)
      }),
      { numRuns: 10_000 },
    )
  })

  it('is never quoted in the reason why it is invalid', () => {
    const reasons = new Set([noId, noType, noObject, noJson, noText].map(({ why }) => why))
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const line = classifyLine(bytes)
        expect(line.kind !== 'invalid' || reasons.has(line.why)).toBe(true)
      }),
      { numRuns: 10_000 },
    )
  })

  it.each([
    { name: 'letters', text: 'x'.repeat(1_000_000) },
    { name: 'starts of objects', text: '{"'.repeat(500_000) },
    { name: 'open objects', text: '{"a":'.repeat(200_000) },
    { name: 'errors, none of them whole', text: `${'{"error":{"description":"x"}'.repeat(40_000)}x` },
    { name: 'white space and a letter', text: `${' '.repeat(999_999)}x` },
  ])('takes bounded time, even for 1 MB of $name', ({ text }) => {
    const startedAt = performance.now()
    expect(classifyLine(Buffer.from(text)).kind).toBe('invalid')
    expect(performance.now() - startedAt).toBeLessThan(20_000)
  })
})
