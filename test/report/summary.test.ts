import { describe, expect, it } from '@jest/globals'
import { BackupError } from '../../src/errors.ts'
import { folded, listed, ownWords, renderProblem, sections, table } from '../../src/report/summary.ts'

describe('a part of a summary', () => {
  it('is left out where there is nothing to say', () => {
    expect(sections(['# One', undefined, '', 'Two'])).toBe('# One\n\nTwo\n')
  })

  it('is a table with a row for each pair', () => {
    expect(table(['', 'now'], [['Documents', '2']])).toBe('|  | now |\n| --- | ---: |\n| Documents | 2 |')
  })

  it.each([
    { name: 'few', count: 2, ends: '<code>0</code>, <code>1</code>' },
    { name: 'twenty', count: 20, ends: '<code>18</code>, <code>19</code>' },
    { name: 'too many', count: 1000, ends: '<code>18</code>, <code>19</code> and 980 more' },
  ])('lists $name words', ({ count, ends }) => {
    expect(listed(Array.from({ length: count }, (_, index) => `${index}`)).endsWith(ends)).toBe(true)
  })

  it('lists no word that could act on the page', () => {
    expect(listed(['<b>', 'a|b'])).toBe('<code>&lt;b&gt;</code>, <code>a\\|b</code>')
  })

  it('is closed until a reader opens it', () => {
    expect(folded('More', '| a |')).toBe('<details>\n<summary>More</summary>\n\n| a |\n\n</details>')
  })
})

describe('words of our own', () => {
  it('are never cut, and keep their lines and their code', () => {
    const long = `${'x'.repeat(5000)} \`min-documents\` end`
    expect(ownWords(`one\n${long}`)).toBe(`one<br>${'x'.repeat(5000)} <code>min-documents</code> end`)
  })

  it.each([
    { name: 'markup', text: '`<b>`' },
    { name: 'a link', text: '`[a](https://evil.example)`' },
    { name: 'somebody', text: '`@octocat`' },
  ])('hold no $name as code', ({ text }) => {
    expect(ownWords(text)).not.toMatch(/<b>|<code>|\]\(|@|https:\/\//)
  })
})

describe('an error in a summary', () => {
  const error = new BackupError({
    code: 'disk-full',
    title: 'No room',
    message: 'It is full.',
    hint: 'Do `a`, e.g. b. Then do c.\n`d` helps too.',
  })

  it('has its code as a link to its page, and the cure as a list', () => {
    expect(renderProblem(error, 'https://github.com/o/r/blob/v1/docs')).toBe(
      [
        '**No room** [`disk-full`](https://github.com/o/r/blob/v1/docs/errors.md#disk-full): [what to do](https://github.com/o/r/blob/v1/docs/errors.md#disk-full)',
        'It is full.',
        '1. Do `a`, e.g. b.\n2. Then do c.\n3. `d` helps too.',
      ].join('\n\n'),
    )
  })

  it('names its page where there is no address', () => {
    expect(renderProblem(error, undefined)).toContain('`disk-full` (see docs/errors.md#disk-full)')
  })
})
