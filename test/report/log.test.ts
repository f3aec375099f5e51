import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { makeLog } from '../../src/report/log.ts'

let printed: string[] = []

beforeEach(() => {
  printed = []
  // What is printed are workflow commands, which a runner that shows this log would carry out.
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0)
})

afterEach(() => void jest.restoreAllMocks())

describe('the log', () => {
  const { info, warning, debug, progress } = makeLog((text) => text.replaceAll('secret', '***'), { GITHUB_ACTIONS: 'true' })

  it.each([
    { name: 'a line', print: () => info('a secret\nb'), prints: 'a *** b\n' },
    { name: 'a warning', print: () => warning('a secret\nb'), prints: '::warning::a ***%0Ab\n' },
    { name: 'a line for debugging', print: () => debug('a secret\nb'), prints: '::debug::a *** b\n' },
  ])('cleans $name', ({ print, prints }) => {
    print()
    expect(printed.join('')).toBe(prints)
  })

  it('makes no line of progress that it does not show', () => {
    const made: number[] = []
    for (let step = 0; step < 100; step++) progress(() => `${made.push(step)}`)
    expect({ made, printed }).toEqual({ made: [], printed: [] })
  })
})
