import { describe, expect, it } from '@jest/globals'
import { tap } from '../../src/streams/tap.ts'
import { chunks, collectBytes, rejection, source } from '../support/feed.ts'

describe('tap', () => {
  it('shows exactly the items that go by, each before it is given', async () => {
    const shown: string[] = []
    const passed = await collectBytes(tap(chunks('a', '', 'bc'), (chunk) => shown.push(String(chunk))))
    expect([String(passed), shown]).toEqual(['abc', ['a', '', 'bc']])
  })

  it('closes the source when the reader leaves early', async () => {
    const watched = source([Buffer.from('a'), Buffer.from('b')])
    for await (const _ of tap(watched.items, () => undefined)) break
    expect(watched.closed()).toBe(true)
  })

  it('throws what the look throws, and closes the source', async () => {
    const watched = source([Buffer.from('a'), Buffer.from('b')])
    const error = new RangeError('bad')
    const look = () => {
      throw error
    }
    expect(await rejection(collectBytes(tap(watched.items, look)))).toBe(error)
    expect(watched.closed()).toBe(true)
  })
})
