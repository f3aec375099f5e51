import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type LineBatch, LineTooLongError, splitLines, stripFraming } from '../../src/streams/lines.ts'
import { chunks, collect, cut, rejection, source } from '../support/feed.ts'

const unlimited = Number.POSITIVE_INFINITY

/** Bytes with many line ends, byte order marks and halves of characters. */
const awkwardBytes = fc
  .array(fc.oneof({ arbitrary: fc.constantFrom(0x0a, 0x0d, 0xef, 0xbb, 0xbf, 0x00, 0xe2), weight: 3 }, fc.integer({ min: 0, max: 255 })), {
    maxLength: 120,
  })
  .map((bytes) => Buffer.from(bytes))
const anySizes = fc.array(fc.nat(9), { minLength: 1, maxLength: 12 })

describe('splitLines', () => {
  it('gives the same lines for any bytes however they are cut', async () => {
    await fc.assert(
      fc.asyncProperty(awkwardBytes, anySizes, async (bytes, sizes) => {
        const { lines, terminated } = flat(await collect(splitLines(source(cut(bytes, sizes)).items, unlimited)))
        expect({ lines, terminated }).toEqual(expectedLines(bytes))
      }),
      { numRuns: 10_000 },
    )
  })

  it('gives back every byte when line feeds are put behind the lines again', async () => {
    await fc.assert(
      fc.asyncProperty(awkwardBytes, anySizes, async (bytes, sizes) => {
        const { lines, terminated } = flat(await collect(splitLines(source(cut(bytes, sizes)).items, unlimited)))
        const joined = lines.map((line) => `${line}\n`).join('')
        expect(joined.slice(0, joined.length - (terminated ? 0 : 1))).toBe(bytes.toString('latin1'))
      }),
      { numRuns: 10_000 },
    )
  })

  const text = '{"a":"ü🙂"}\n\n{"b":"\u2028"}\nlast'
  it.each([
    { how: 'whole', sizes: [1000] },
    { how: 'byte by byte', sizes: [1] },
    { how: 'in pieces of three bytes', sizes: [3] },
    { how: 'with empty chunks between', sizes: [0, 2, 0, 5] },
  ])('finds the lines of a stream that comes $how', async ({ sizes }) => {
    const { lines, terminated } = flat(await collect(splitLines(source(cut(Buffer.from(text), sizes)).items, unlimited)))
    expect(lines.map((line) => Buffer.from(line, 'latin1').toString())).toEqual(text.split('\n'))
    expect(terminated).toBe(false)
  })

  it.each([
    { name: 'no chunk', given: [], lines: [], terminated: true },
    { name: 'only empty chunks', given: ['', ''], lines: [], terminated: true },
    { name: 'one line feed', given: ['\n'], lines: [''], terminated: true },
    { name: 'a last line with a line feed', given: ['a\nb\n'], lines: ['a', 'b'], terminated: true },
    { name: 'a last line without one', given: ['a\nb'], lines: ['a', 'b'], terminated: false },
    { name: 'a NUL in a line', given: ['a\0b\n'], lines: ['a\0b'], terminated: true },
    { name: 'a carriage return alone', given: ['a\rb\n'], lines: ['a\rb'], terminated: true },
    { name: 'the byte 0x0a only as half of a wide character', given: ['\u010a\n'], lines: ['\u00c4\u008a'], terminated: true },
  ])('gives for $name what lies between line feeds', async ({ given, lines, terminated }) => {
    expect(flat(await collect(splitLines(chunks(...given), unlimited)))).toEqual({ lines, terminated })
  })

  it('leaves invalid UTF-8 and line separators as they are', async () => {
    const odd = Buffer.concat([Buffer.from('\u2028\u2029\u0085'), Buffer.from([0xff, 0xfe, 0xc3, 0x28])])
    const [batch] = await collect(splitLines(chunks(Buffer.concat([odd, Buffer.from('\n')])), unlimited))
    expect(batch?.lines.map((line) => line.toString('hex'))).toEqual([odd.toString('hex')])
  })

  it('passes on the error of its source, after the lines before it', async () => {
    const broken = new RangeError('the wire is cut')
    const seen: string[] = []
    const read = async () => {
      for await (const { lines } of splitLines(source([Buffer.from('a\nb\nhal')], broken).items, unlimited)) seen.push(...lines.map(String))
    }
    expect(await rejection(read())).toBe(broken)
    expect(seen).toEqual(['a', 'b'])
  })

  it('closes its source when the consumer leaves early', async () => {
    const endless = source(repeat(Buffer.from('line\n'), 1000))
    for await (const _ of stripFraming(splitLines(endless.items, unlimited))) break
    expect({ closed: endless.closed(), given: endless.given() }).toEqual({ closed: true, given: 1 })
  })

  it('closes its source when a line is too long', async () => {
    const endless = source(repeat(Buffer.from('x'), 1000))
    await rejection(collect(splitLines(endless.items, 10)))
    expect(endless.closed()).toBe(true)
  })

  it.each([
    { name: 'ended in one chunk', given: ['ok\nok\n12345678901\n'] },
    { name: 'spread over chunks', given: ['ok\nok\n12345', '678', '901', '\n'] },
    { name: 'without end', given: ['ok\nok\n', '1234567890', '1'] },
  ])('refuses a line of more than the limit, $name, by its number', async ({ given }) => {
    const error = await rejection(collect(splitLines(chunks(...given), 10)))
    expect(error).toBeInstanceOf(LineTooLongError)
    expect(error).toMatchObject({ lineNumber: 3, message: 'line 3 is longer than 10 bytes' })
  })

  it('takes a line of exactly the limit', async () => {
    expect(flat(await collect(splitLines(chunks('12345', '67890\n1234567890'), 10))).lines).toEqual(['1234567890', '1234567890'])
  })

  it('stops asking for more as soon as a line is too long', async () => {
    const endless = source(repeat(Buffer.alloc(1000, 'x'), 1_000_000))
    await rejection(collect(splitLines(endless.items, 10_000)))
    expect(endless.given()).toBe(11)
  })

  it.each([{ chunkBytes: 64 * 1024 }, { chunkBytes: 1024 }])(
    'puts a line of 32 MB together from chunks of $chunkBytes bytes in linear time',
    async ({ chunkBytes }) => {
      const count = (32 * 1024 * 1024) / chunkBytes
      const startedAt = performance.now()
      const [batch] = await collect(splitLines(source(repeat(Buffer.alloc(chunkBytes, 'x'), count)).items, unlimited))
      // Copied together anew with each chunk, it would be gigabytes.
      expect(performance.now() - startedAt).toBeLessThan(30_000)
      expect(batch?.lines[0]?.length).toBe(32 * 1024 * 1024)
    },
  )
})

describe('stripFraming', () => {
  it('takes away one byte order mark at the start and one carriage return before each line feed, and no other byte', async () => {
    await fc.assert(
      fc.asyncProperty(awkwardBytes, anySizes, async (bytes, sizes) => {
        const { lines, terminated } = expectedLines(bytes)
        const withoutReturns = lines.map((line, index) => (terminated || index < lines.length - 1 ? line.replace(/\r$/, '') : line))
        const bare = withoutReturns.map((line, index) => (index === 0 ? line.replace(/^\xef\xbb\xbf/, '') : line))
        expect(flat(await collect(stripFraming(splitLines(source(cut(bytes, sizes)).items, unlimited))))).toEqual({
          lines: bare,
          terminated,
        })
      }),
      { numRuns: 4000 },
    )
  })

  it.each([
    { name: 'a byte order mark at the start', given: '\ufeffa\nb\n', lines: ['a', 'b'] },
    { name: 'a second one behind it', given: '\ufeff\ufeffa\n', lines: ['\ufeffa'] },
    { name: 'one in a later line', given: 'a\n\ufeffb\n', lines: ['a', '\ufeffb'] },
    { name: 'one inside the first line', given: 'a\ufeff\n', lines: ['a\ufeff'] },
    { name: 'one in a stream without any line feed', given: '\ufeffa', lines: ['a'] },
    { name: 'one carriage return before a line feed', given: 'a\r\nb\r\n', lines: ['a', 'b'] },
    { name: 'two carriage returns before a line feed', given: 'a\r\r\n', lines: ['a\r'] },
    { name: 'a carriage return inside a line', given: 'a\rb\n', lines: ['a\rb'] },
    { name: 'a carriage return at the end of the stream', given: 'a\r\nb\r', lines: ['a', 'b\r'] },
    { name: 'a carriage return alone in a line', given: '\r\n', lines: [''] },
  ])('treats $name as it should be treated in any chunking', async ({ given, lines }) => {
    for (const size of [1, 2, 3, 100]) {
      const batches = await collect(stripFraming(splitLines(source(cut(Buffer.from(given), [size])).items, unlimited)))
      expect(batches.flatMap((batch) => batch.lines.map(String))).toEqual(lines)
    }
  })
})

/** The lines as `split` finds them in the whole; a text after the last line feed is a line that was not terminated. */
function expectedLines(bytes: Buffer): { lines: string[]; terminated: boolean } {
  const parts = bytes.toString('latin1').split('\n')
  const rest = parts.pop()
  return rest === '' ? { lines: parts, terminated: true } : { lines: [...parts, rest ?? ''], terminated: false }
}

/** All lines as Latin-1, a character a byte; every batch but the last must be terminated. */
function flat(batches: readonly LineBatch[]): { lines: string[]; terminated: boolean } {
  expect(batches.slice(0, -1).every(({ terminated }) => terminated)).toBe(true)
  return {
    lines: batches.flatMap(({ lines }) => lines.map((line) => line.toString('latin1'))),
    terminated: batches.at(-1)?.terminated ?? true,
  }
}

function* repeat(chunk: Buffer, times: number): Generator<Buffer> {
  for (let time = 0; time < times; time++) yield chunk
}
