import { describe, expect, it } from '@jest/globals'
import { closingQuote, isSpace } from '../../../src/streams/json/json-bytes.ts'

describe('closingQuote', () => {
  it.each([
    { name: 'at once, for an empty string', text: '"" "', at: 1 },
    { name: 'behind the text', text: '"ab"c"', at: 3 },
    { name: 'behind an escaped quote', text: '"a\\""', at: 4 },
    { name: 'behind an escaped backslash', text: '"a\\\\"b"', at: 4 },
    { name: 'behind many backslashes and a quote', text: '"\\\\\\"x"', at: 6 },
    { name: 'at the last byte of a string that is not closed', text: '"a\\"', at: 3 },
  ])('finds the end $name', ({ text, at }) => {
    expect(closingQuote(Buffer.from(text), 0)).toBe(at)
  })
})

describe('isSpace', () => {
  it('takes the four bytes that JSON calls white space, and no other', () => {
    const spaces = Array.from({ length: 256 }, (_, byte) => byte).filter(isSpace)
    expect(spaces).toEqual([...Buffer.from('\t\n\r ')])
  })
})
