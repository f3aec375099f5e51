import { describe, expect, it } from '@jest/globals'
import { demoDocuments } from '../../../../demo/dataset.ts'
import { ask, firstError, mutate } from '../calls.ts'
import { startSanity } from '../sanity.ts'

const lines = [...demoDocuments(1, 200)]
const count = { query: 'count(*[!(_id in path("_.**"))])', perspective: 'raw' }

describe('a compact dataset', () => {
  it('answers like any other', async () => {
    const told = []
    for (const compact of [false, true]) {
      await using sanity = await startSanity({ lines, compact })
      const referrer = sanity.store().entries.find(({ document }) => document?._type === 'article')?.document
      const author = (referrer?.['author'] as { _ref: string } | undefined)?._ref ?? ''
      const refused = firstError(await mutate(sanity, [{ delete: { id: author } }]))
      const patched = await mutate(sanity, [{ patch: { id: author, set: { title: 'x' } } }], { members: { transactionId: 't1' } })
      const { body } = await ask(sanity, `data/doc/production/${author},none`)
      const [{ _updatedAt, ...found }] = body['documents'] as [Record<string, unknown>]
      const counted = (await ask(sanity, 'data/query/production', { query: count })).body['result']
      const exported = String((await ask(sanity, 'data/export/production', { query: { types: 'article' } })).body['text'])
      told.push({ author, refused, patched: patched.status, found, omitted: body['omitted'], counted, exported })
    }
    expect(told[1]).toEqual(told[0])
    expect(told[0]).toMatchObject({
      patched: 200,
      found: { title: 'x', _rev: 't1' },
      refused: { status: 409 },
      counted: expect.any(Number),
    })
    expect(told[0]?.exported).toContain('"_type":"article"')
  })
})

describe('the lines of a dataset', () => {
  it('are exported in the order in which they came, a replaced document in its old place and a new one last', async () => {
    await using sanity = await startSanity({
      lines: ['{"_id":"b","_type":"p"}', 'no document', '{"_id":"a","_type":"p"}', '{"_id":"b","_type":"q"}'],
    })
    await mutate(sanity, [
      { create: { _id: 'c', _type: 'p' } },
      { createOrReplace: { _id: 'b', _type: 'p', n: 1 } },
      { delete: { id: 'a' } },
    ])
    const text = String((await ask(sanity, 'data/export/production')).body['text'])
    const ids = text
      .trimEnd()
      .split('\n')
      .map((line) => /"_id":"(.)"/.exec(line)?.[1] ?? line)
    expect(ids).toEqual(['b', 'no document', 'b', 'c'])
  })
})
