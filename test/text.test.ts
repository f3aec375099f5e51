import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { escapeMarkdown, formatBytes, formatCount, formatDuration, neutralise, plural, quoteOutside } from '../src/text.ts'

/** Text full of what could act on a terminal, a runner or a page. */
const hostileText = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '::',
        ':',
        '##[',
        '##',
        '#',
        '[',
        '\n',
        '\r',
        '\r\n',
        '\u2028',
        '\u001b[31m',
        '\u0000',
        '\u202e',
        '\u200b',
        '\ufeff',
        ' ',
        '\t',
      ),
      fc.constantFrom('\ud800', '\udc00', '🙂', '\u0085', '|', '`', '<', '&', '@', '*', '_', '\\', 'https://', 'www.', 'error', 'a'),
      fc.string({ unit: 'binary', maxLength: 3 }),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(''))

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come out
const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/
const bidirectional = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/
const zeroWidth = /[\u200b-\u200d\u2060\ufeff]/
const otherLineEnds = /[\r\u2028\u2029\u0085]/

describe('neutralise', () => {
  it.each([
    { name: 'a workflow command', text: '::error::x', becomes: ': :error::x' },
    { name: 'one behind white space', text: ' \t::error::x', becomes: ' \t: :error::x' },
    { name: 'one on a later line', text: 'a\n::error::x', becomes: 'a\n: :error::x' },
    { name: 'one behind a carriage return', text: 'a\r::error::x', becomes: 'a\n: :error::x' },
    { name: 'one behind a line separator', text: 'a\u2028::error::x', becomes: 'a::error::x' },
    { name: 'one behind a zero-width space', text: '\u200b::error::x', becomes: ': :error::x' },
    { name: 'colons inside a line', text: 'a::b', becomes: 'a::b' },
    { name: 'many colons', text: ':::::', becomes: ': ::::' },
    { name: 'an old command anywhere', text: 'a ##[error]x', becomes: 'a # #[error]x' },
    { name: 'hashes before an old command', text: '####[x', becomes: '### #[x' },
    { name: 'an escape sequence', text: 'a\u001b[2Jb', becomes: 'a[2Jb' },
    { name: 'a lone surrogate', text: 'a\ud800b\udc00', becomes: 'ab' },
    { name: 'an emoji', text: '🙂', becomes: '🙂' },
    { name: 'lines and tabs', text: 'a\n\tb', becomes: 'a\n\tb' },
    { name: 'ordinary words of any language', text: 'Ünïcödé עברית 日本語', becomes: 'Ünïcödé עברית 日本語' },
  ])('makes $name harmless', ({ text, becomes }) => {
    expect(neutralise(text)).toBe(becomes)
  })

  it('lets out no line that the runner takes for a command, and no invisible character', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const out = neutralise(text)
        expect(out.split('\n').filter((line) => line.trimStart().startsWith('::') || line.includes('##['))).toEqual([])
        expect([control, bidirectional, zeroWidth, otherLineEnds].filter((pattern) => pattern.test(out))).toEqual([])
        expect(out.isWellFormed()).toBe(true)
      }),
      { numRuns: 10_000 },
    )
  })

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(hostileText, (text) => expect(neutralise(neutralise(text))).toBe(neutralise(text))),
      { numRuns: 10_000 },
    )
  })
})

describe('quoteOutside', () => {
  it('gives one short line that is harmless, whatever comes in', () => {
    fc.assert(
      fc.property(hostileText, fc.integer({ min: 1, max: 50 }), (text, maxLength) => {
        const out = quoteOutside(text, maxLength)
        expect(out.length).toBeLessThanOrEqual(maxLength)
        expect(out).not.toMatch(/^\s|\s$|\n|^::|##\[/)
        expect(control.test(out) || bidirectional.test(out)).toBe(false)
      }),
      { numRuns: 10_000 },
    )
  })

  it.each([
    { name: 'a short text', text: ' a \n b ', max: 10, becomes: 'a b' },
    { name: 'a text of exactly the length', text: '1234567890', max: 10, becomes: '1234567890' },
    { name: 'a longer text', text: '12345678901', max: 10, becomes: '123456789…' },
    { name: 'nothing', text: '', max: 10, becomes: '' },
    { name: 'white space only', text: ' \n\t ', max: 10, becomes: '' },
  ])('cuts $name where it must', ({ text, max, becomes }) => {
    expect(quoteOutside(text, max)).toBe(becomes)
  })

  it('never cuts a character in two', () => {
    expect([2, 3, 4, 5].map((max) => quoteOutside('🙂🙂🙂🙂🙂', max).isWellFormed())).toEqual([true, true, true, true])
  })

  it('takes no longer for a text of many megabytes', () => {
    const startedAt = performance.now()
    quoteOutside(' :'.repeat(5_000_000))
    expect(performance.now() - startedAt).toBeLessThan(10_000)
  })
})

describe('escapeMarkdown', () => {
  it.each([
    { name: 'a pipe', text: 'a|b', becomes: 'a\\|b' },
    { name: 'a line break', text: 'a\nb', becomes: 'a b' },
    { name: 'a link', text: '[a](https://b)', becomes: '\\[a\\]\\(https&#58;//b\\)' },
    { name: 'a bare address', text: 'www.example.com', becomes: 'www&#46;example.com' },
    { name: 'HTML', text: '<img src=x>', becomes: '&lt;img src=x&gt;' },
    { name: 'an entity', text: '&lt;', becomes: '&amp;lt;' },
    { name: 'a mention', text: '@octocat', becomes: '&#64;octocat' },
    { name: 'code', text: '`rm`', becomes: '\\`rm\\`' },
    { name: 'emphasis', text: '*a* _b_ ~c~', becomes: '\\*a\\* \\_b\\_ \\~c\\~' },
    { name: 'an issue', text: '#1', becomes: '\\#1' },
    { name: 'mathematics', text: '$x$', becomes: '\\$x\\$' },
    { name: 'a backslash before a pipe', text: '\\|', becomes: '\\\\\\|' },
    { name: 'ordinary words', text: 'blog.post-1 Ü', becomes: 'blog.post-1 Ü' },
  ])('takes the meaning from $name', ({ text, becomes }) => {
    expect(escapeMarkdown(text)).toBe(becomes)
  })

  it('lets out no line break, no tag, no mention, and no bar, bracket or backtick without a backslash', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const bare = escapeMarkdown(text).replace(/\\[\\`*_{}[\]()#+!|~$]/g, '')
        expect(bare).not.toMatch(/[\n\r<>@|`[\]*\\]|:\/\//)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('figures for people', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [38_240_000, '38.2 MB'],
    [999_999, '1.0 MB'],
    [999_999_999, '1.0 GB'],
    [1_000_000_000, '1.0 GB'],
    [2_500_000_000_000, '2.5 TB'],
    [2_500_000_000_000_000, '2500.0 TB'],
  ])('has %i bytes as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text)
  })

  it.each([
    [0, '0.0 s'],
    [440, '0.4 s'],
    [9_949, '9.9 s'],
    [9_950, '10 s'],
    [41_000, '41 s'],
    [59_499, '59 s'],
    [59_500, '1 min 0 s'],
    [185_000, '3 min 5 s'],
    [7_200_000, '120 min 0 s'],
  ])('has %i ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })

  it.each([
    [0, '0', '0 documents'],
    [1, '1', '1 document'],
    [12_408, '12,408', '12,408 documents'],
    [10_000_000, '10,000,000', '10,000,000 documents'],
  ])('has %i as %s and as %s', (count, text, documents) => {
    expect([formatCount(count), plural(count, 'document')]).toEqual([text, documents])
  })
})
