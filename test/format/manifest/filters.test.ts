import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type Filters, filter, publishedId } from '../../../src/format/manifest/filters.ts'
import { idPatternRule } from '../../../src/format/manifest/id-pattern.ts'

const everything: Filters = { includeDrafts: true, types: [], excludeTypes: [], excludeIds: [] }
const verdict = (filters: Partial<Filters>, id: string, type = 'post') => filter({ ...everything, ...filters })({ id, type })
const isExcluded = (pattern: string, id: string) => verdict({ excludeIds: [pattern] }, id) === 'excluded'

describe('a pattern of ids', () => {
  it.each([
    { pattern: 'secrets.**', id: 'secrets.mux', excludes: true },
    { pattern: 'secrets.**', id: 'secrets.mux.key', excludes: true },
    { pattern: 'secrets.**', id: 'secrets', excludes: false },
    { pattern: 'secrets.**', id: 'secretsX.mux', excludes: false },
    { pattern: 'secrets.**', id: 'my.secrets.mux', excludes: false },
    { pattern: 'secrets.**', id: 'drafts.secrets.mux', excludes: true },
    { pattern: 'secrets.**', id: 'versions.summer.secrets.mux', excludes: true },
    { pattern: 'secrets.**', id: 'Secrets.mux', excludes: false },
    { pattern: '*.secret', id: 'preview.secret', excludes: true },
    { pattern: '*.secret', id: 'versions.summer.preview.secret', excludes: true },
    { pattern: '*.secret', id: 'a.preview.secret', excludes: false },
    { pattern: '*.secret', id: 'preview.secrets', excludes: false },
    { pattern: 'drafts.**', id: 'drafts.a', excludes: true },
    { pattern: 'drafts.**', id: 'a', excludes: false },
    { pattern: '*', id: 'a', excludes: true },
    { pattern: '*', id: 'a.b', excludes: false },
    { pattern: '*', id: 'drafts.a', excludes: true },
    { pattern: '**', id: 'a.b.c', excludes: true },
    { pattern: '*.b', id: 'a.b', excludes: true },
    { pattern: '*.b', id: 'x.a.b', excludes: false },
    { pattern: 'a.*.c', id: 'a.b.c', excludes: true },
    { pattern: 'a.*.c', id: 'a..c', excludes: false },
    { pattern: 'a.*.c', id: 'a.b.b.c', excludes: false },
    { pattern: 'a.**.c', id: 'a.b.b.c', excludes: true },
    { pattern: 'user-*', id: 'user-1', excludes: true },
    { pattern: 'user-*', id: 'user-', excludes: true },
    { pattern: 'user-*', id: 'user-1.key', excludes: false },
    { pattern: 'a*c', id: 'abbc', excludes: true },
    { pattern: 'a**c', id: 'abbc', excludes: true },
    { pattern: 'a**c', id: 'ab.bc', excludes: false },
    { pattern: 'a.b', id: 'aXb', excludes: false },
    { pattern: 'a-b', id: 'a-b', excludes: true },
    { pattern: 'a', id: 'aa', excludes: false },
    { pattern: 'a', id: 'a\n', excludes: false },
  ])('"$pattern" and the id "$id": $excludes', ({ pattern, id, excludes }) => {
    expect(isExcluded(pattern, id)).toBe(excludes)
  })

  it.each(['a+b', 'a?b', '(a)', '[a]', 'a|b', '^a', 'a$', 'a{2}', 'a\\d', 'a/b'])(
    'takes the characters of "%s" for what they are',
    (text) => {
      expect([isExcluded(text, text), isExcluded(text, 'aab'), isExcluded(text, 'a')]).toEqual([true, false, false])
    },
  )

  it('without a star excludes its own id and nothing else', () => {
    const anyId = fc.stringMatching(/^[A-Za-z0-9_.-]{1,20}$/).filter((id) => publishedId(id) === id && !id.startsWith('_.'))
    fc.assert(
      fc.property(anyId, anyId, (pattern, id) => {
        expect(isExcluded(pattern, pattern)).toBe(true)
        expect(isExcluded(pattern, id)).toBe(pattern === id)
      }),
      { numRuns: 1000 },
    )
  })

  it('is matched in bounded time, whatever its stars', () => {
    const startedAt = performance.now()
    isExcluded('a*'.repeat(20), 'a'.repeat(128))
    expect(performance.now() - startedAt).toBeLessThan(20_000)
  })

  it.each([
    { text: 'secrets.**', ok: true },
    { text: 'a_b-C.*', ok: true },
    { text: '', ok: false },
    { text: 'a b', ok: false },
    { text: 'a/b', ok: false },
    { text: 'a'.repeat(257), ok: false },
  ])('may be "$text": $ok', ({ text, ok }) => {
    expect(idPatternRule.test(text)).toBe(ok)
  })
})

describe('filter', () => {
  it.each([
    { name: 'a document', filters: {}, id: 'a', is: 'keep' },
    { name: 'a draft', filters: {}, id: 'drafts.a', is: 'keep' },
    { name: 'a draft without drafts', filters: { includeDrafts: false }, id: 'drafts.a', is: 'draft' },
    { name: 'a version without drafts', filters: { includeDrafts: false }, id: 'versions.summer.a', is: 'draft' },
    { name: 'a document called drafts', filters: { includeDrafts: false }, id: 'drafts', is: 'keep' },
    { name: 'a release', filters: {}, id: '_.releases.summer', is: 'keep-system' },
    { name: 'a release without drafts', filters: { includeDrafts: false }, id: '_.releases.summer', is: 'foreign' },
    { name: 'an excluded release', filters: { excludeIds: ['_.releases.*'] }, id: '_.releases.summer', is: 'foreign' },
    { name: 'a group', filters: {}, id: '_.groups.public', is: 'foreign' },
    { name: 'a schema', filters: {}, id: '_.schemas.default', is: 'foreign' },
    { name: 'a wanted type', filters: { types: ['post', 'page'] }, id: 'a', is: 'keep' },
    { name: 'another type', filters: { types: ['page'] }, id: 'a', is: 'foreign' },
    { name: 'a draft of another type without drafts', filters: { types: ['page'], includeDrafts: false }, id: 'drafts.a', is: 'foreign' },
    { name: 'an unwanted type', filters: { excludeTypes: ['post'] }, id: 'a', is: 'excluded' },
    { name: 'an unwanted id', filters: { excludeIds: ['b', 'a'] }, id: 'a', is: 'excluded' },
    { name: 'an unwanted draft without drafts', filters: { excludeIds: ['a'], includeDrafts: false }, id: 'drafts.a', is: 'draft' },
    { name: 'a type that objects inherit', filters: { types: ['constructor'] }, id: 'a', is: 'foreign' },
  ])('decides on $name: $is', ({ filters, id, is }) => {
    expect(verdict(filters, id)).toBe(is)
  })
})

describe('publishedId', () => {
  it.each([
    { id: 'a', published: 'a' },
    { id: 'drafts.a', published: 'a' },
    { id: 'drafts.a.b', published: 'a.b' },
    { id: 'versions.summer.a', published: 'a' },
    { id: 'versions.summer.drafts.a', published: 'drafts.a' },
    { id: 'drafts.drafts.a', published: 'drafts.a' },
    { id: 'my.drafts.a', published: 'my.drafts.a' },
    { id: 'versions', published: 'versions' },
  ])('of $id is $published', ({ id, published }) => {
    expect(publishedId(id)).toBe(published)
  })
})
