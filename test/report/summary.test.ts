import { describe, expect, it } from '@jest/globals'
import { listed, pieOfTypes, sections, table } from '../../src/report/summary.ts'

describe('a part of a summary', () => {
  it('is left out where there is nothing to say', () => {
    expect(sections(['# One', undefined, '', 'Two'])).toBe('# One\n\nTwo\n')
  })

  it('is a table with a row for each pair', () => {
    expect(table([['Documents', '2']])).toBe('| | |\n| --- | --- |\n| Documents | 2 |')
  })

  it.each([
    { name: 'few', count: 2, ends: '0, 1' },
    { name: 'twenty', count: 20, ends: '18, 19' },
    { name: 'too many', count: 1000, ends: '18, 19 and 980 more' },
  ])('lists $name words', ({ count, ends }) => {
    expect(listed(Array.from({ length: count }, (_, index) => `${index}`)).endsWith(ends)).toBe(true)
  })

  it('lists no word that could act on the page', () => {
    expect(listed(['<b>', 'a|b'])).toBe('&lt;b&gt;, a\\|b')
  })

  it('is a pie with a safe label for each type, and none of nothing', () => {
    expect(pieOfTypes({ 'a"b\n': 1, post: 2 })?.split('\n').slice(2, 4)).toEqual(['  "post" : 2', '  "a?b?" : 1'])
    expect(pieOfTypes({})).toBeUndefined()
  })
})
