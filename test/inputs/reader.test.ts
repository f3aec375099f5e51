import { describe, expect, it } from '@jest/globals'
import { type InputReader, inputReader } from '../../src/inputs/reader.ts'

const plain = (given: string) => given

describe('a reader of inputs', () => {
  it('gives the values as the runner hands them on, without white space around them', () => {
    const { read } = inputReader({ 'INPUT_PROJECT-ID': ' abc\n', INPUT_TWO_WORDS: 'x' })
    expect([read('project-id', plain), read('two words', plain), read('other', plain)]).toEqual(['abc', 'x', ''])
  })

  it('throws nothing where nothing is wrong', () => {
    const reader = inputReader({ INPUT_DATASET: 'x' })
    reader.read('dataset', plain)
    expect(reader.finish()).toBeUndefined()
  })

  it('throws all problems as one error, in the order in which the inputs were read', () => {
    const reader = inputReader({ INPUT_C: '', INPUT_DATSET: '' })
    for (const input of ['dataset', 'c']) reader.read(input, (_, refuse) => refuse('is bad'))
    reader.refuse('dataset', 'is also odd')
    expect(problemsOf(reader)).toEqual([
      'dataset: is bad',
      'dataset: is also odd',
      'c: is bad',
      'datset: is not an input of this action. Did you mean `dataset`?',
    ])
  })

  it('knows which input is wrong', () => {
    const reader = inputReader({})
    reader.refuse('dataset', 'is bad')
    expect([reader.isWrong('dataset'), reader.isWrong('types')]).toEqual([true, false])
  })

  it('refuses every input but the token that holds the token or a piece of it', () => {
    const token = 'skREADERabcdefghijklmnop'
    const reader = inputReader({ INPUT_TOKEN: token, INPUT_LABEL: `x-${token.slice(3, 15)}`, INPUT_DATASET: 'skREADERabc' })
    for (const input of ['token', 'label', 'dataset']) reader.read(input, plain)
    expect(problemsOf(reader)).toEqual(['label: holds the Sanity token, which belongs in `token` alone'])
  })
})

function problemsOf(reader: InputReader): string[] {
  try {
    reader.finish()
  } catch (error) {
    return Error.isError(error) ? error.message.split('\n') : []
  }
  return []
}
