import { expect, it } from '@jest/globals'
import { findMeant, nearest } from '../../src/inputs/spelling.ts'

it.each([
  { name: 'a letter is missing', word: 'datset', meant: 'dataset' },
  { name: 'two letters are swapped', word: 'tokne', meant: 'token' },
  { name: 'a letter is another', word: 'lavel', meant: 'label' },
  { name: 'it is far longer than any other', word: `token${'x'.repeat(100_000)}`, meant: 'token' },
  { name: 'two are as near: the first', word: 'xxxxx', meant: 'token' },
])('finds the word that was meant though $name', ({ word, meant }) => {
  expect(nearest(word, ['token', 'label', 'dataset'])).toBe(meant)
})

it('finds the word itself where none is expected', () => {
  expect(nearest('word', [])).toBe('word')
})

it.each([
  { word: 'gzib', meant: 'gzip' },
  { word: 'artefact', meant: 'artifact' },
  { word: 'brotli', meant: undefined },
  { word: 'zs', meant: undefined },
])('is sure of what was meant only if it is near: $word', ({ word, meant }) => {
  expect(findMeant(word, ['gzip', 'artifact', 'no'])).toBe(meant)
})
