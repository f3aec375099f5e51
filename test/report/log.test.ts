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

describe('what others write into the log', () => {
  const begin = '::group::a *** b\n'
  const folding = (env: NodeJS.ProcessEnv) => makeLog((text) => text.replaceAll('secret', '***'), env).fold
  const never = new AbortController().signal

  it.each([
    { name: 'when it is done', work: async () => process.stdout.write('theirs\n') },
    { name: 'when it fails', work: async () => await Promise.reject(new Error(String(process.stdout.write('theirs\n')))) },
  ])('is folded away until $name', async ({ work }) => {
    await folding({ GITHUB_ACTIONS: 'true' })('a secret\nb', never, work).catch(() => undefined)
    expect(printed.join('')).toBe(`${begin}theirs\n::endgroup::\n`)
  })

  it('is not folded after a cancellation: what follows must be seen', async () => {
    const cancelled = new AbortController()
    const { promise, resolve } = Promise.withResolvers<void>()
    const folded = folding({ GITHUB_ACTIONS: 'true' })('a secret\nb', cancelled.signal, async () => await promise)
    cancelled.abort()
    expect(printed.join('')).toBe(`${begin}::endgroup::\n`)
    resolve()
    await folded
    expect(printed.join('')).toBe(`${begin}::endgroup::\n`)
  })

  it('is left as it is where nothing folds', async () => {
    expect(await folding({})('a title', never, async () => 'done')).toBe('done')
    expect(printed).toEqual([])
  })
})
