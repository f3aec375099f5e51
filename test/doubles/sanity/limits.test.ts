import { describe, expect, it } from '@jest/globals'
import { until } from '../../support/process.ts'
import { ask, held, mutate } from './calls.ts'
import { realLimits } from './limits.ts'
import { startSanity } from './sanity.ts'

const post = (id: string) => [{ createOrReplace: { _id: id, _type: 'post' } }]

describe('limits', () => {
  it.each([
    { what: 'mutations', path: 'data/mutate/production', other: 'assets/files/production' },
    { what: 'uploads', path: 'assets/files/production', other: 'data/mutate/production' },
  ])('let a number of $what through at once, and no more', async ({ path, other }) => {
    await using sanity = await startSanity({ limits: { perSecond: 0.001, burst: 10, concurrent: 100 } })
    const send = async () => await ask(sanity, path, { body: '{"mutations":[]}' })
    const answers = await Promise.all(Array.from({ length: 15 }, send))
    const refused = answers.filter(({ status }) => status === 429)
    expect(refused).toHaveLength(5)
    expect(refused[0]?.headers.get('retry-after')).toBe('1')
    expect(refused[0]?.body).toEqual({ message: 'API rate limit exceeded' })
    expect(await ask(sanity, other, { body: '{"mutations":[]}' })).toMatchObject({ status: 200 })
  })

  it('let more through when time has passed', async () => {
    await using sanity = await startSanity({ limits: { perSecond: 20, burst: 1, concurrent: 100 } })
    await mutate(sanity, post('a'))
    for (let status = 0; status !== 200; ) status = (await mutate(sanity, post('b'))).status
    expect(held(sanity, 'b')).toBeDefined()
  })

  it('refuse more mutations at the same time than a dataset takes', async () => {
    await using sanity = await startSanity({ limits: { perSecond: 1000, concurrent: 1 } })
    let release: () => void = () => {}
    const editing = new Promise<void>((resolve) => {
      release = resolve
    })
    sanity.meanwhile('mutate', () => editing)
    const first = mutate(sanity, post('a'))
    await until(() => sanity.count('mutate') === 1)
    expect(await mutate(sanity, post('b'))).toMatchObject({ status: 429 })
    release()
    expect(await first).toMatchObject({ status: 200 })
    expect(await mutate(sanity, post('b'))).toMatchObject({ status: 200 })
  })

  it('write nothing of what they refuse', async () => {
    await using sanity = await startSanity({ limits: { perSecond: 1, burst: 0, concurrent: 1 } })
    expect(await mutate(sanity, post('a'))).toMatchObject({ status: 429 })
    expect(sanity.store().documents()).toEqual([])
  })

  it('are those of the real server when asked for, and off by default', async () => {
    expect(realLimits).toEqual({ perSecond: 25, concurrent: 100 })
    await using sanity = await startSanity()
    const answers = await Promise.all(Array.from({ length: 150 }, async (_, number) => await mutate(sanity, post(`a${number}`))))
    expect(answers.every(({ status }) => status === 200)).toBe(true)
  })

  it('do not count reads', async () => {
    await using sanity = await startSanity({ limits: { perSecond: 1, burst: 0, concurrent: 1 }, documents: [{ _id: 'a', _type: 'post' }] })
    expect(await ask(sanity, 'data/doc/production/a')).toMatchObject({ status: 200 })
  })
})

describe('the index behind the queries', () => {
  const query = { query: 'count(*)', perspective: 'raw' }

  it('lags behind, while the documents and the export are current', async () => {
    await using sanity = await startSanity({ rules: { indexLagMs: 60_000 }, documents: [{ _id: 'a', _type: 'post', n: 1 }] })
    const asynchronous = { query: { visibility: 'async' } }
    await mutate(sanity, [...post('b'), { patch: { id: 'a', set: { n: 2 } } }], asynchronous)
    await mutate(sanity, [{ patch: { id: 'a', set: { n: 3 } } }], asynchronous)
    expect((await ask(sanity, 'data/query/production', { query })).body['result']).toBe(1)
    const values = { query: '*[_id == "a"][0].n', perspective: 'raw' }
    expect((await ask(sanity, 'data/query/production', { query: values })).body['result']).toBe(1)
    expect((await ask(sanity, 'data/doc/production/a,b')).body).toMatchObject({ documents: [{ n: 3 }, { _id: 'b' }] })
    expect((await ask(sanity, 'data/export/production')).body['text']).toContain('"n":3')
    expect(held(sanity, 'b')).toBeDefined()
  })

  it('is waited for by a mutation that asks for it', async () => {
    await using sanity = await startSanity({ rules: { indexLagMs: 100 } })
    await mutate(sanity, post('a'), { query: { visibility: 'sync' } })
    expect((await ask(sanity, 'data/query/production', { query })).body['result']).toBe(1)
  })
})
