import { describe, expect, it } from '@jest/globals'
import { checkMissing, findMissing } from '../../../../src/commands/backup/assets/missing.ts'
import type { MissingFile } from '../../../../src/commands/backup/assets/saved.ts'
import { writeLines } from '../../../../src/snapshot/write/lines-file.ts'
import { source } from '../../../support/feed.ts'
import { makeTempFolder } from '../../../support/process.ts'
import { stepTools } from '../tools.ts'

const gone = (id: string): MissingFile => ({ id, url: 'https://cdn.sanity.io/a', status: 404, lack: 'file', why: 'it is gone' })

describe('missing assets', () => {
  it('are named with the documents that refer to them, without the token', async () => {
    await using temp = await makeTempFolder()
    const lines = source([[Buffer.from('{"_id":"page-skTOKEN","image":{"_ref":"image-a"}}')]]).items
    const { path } = await writeLines(temp.path, 'data.ndjson', { lines, compression: 'gzip', level: 6 })
    const found = await findMissing([gone('image-a'), gone('image-b')], { folder: temp.path, data: path }, stepTools().tools)
    expect(found.first.map(({ referrers }) => referrers)).toEqual([['page-***'], []])
  })

  it('are counted, though only the first are named, and nothing is known of referrers where there are no documents', async () => {
    const missing = Array.from({ length: 30 }, (_, index) => gone(`image-${index}`))
    const found = await findMissing(missing, { folder: '/none', data: undefined }, stepTools().tools)
    expect(found).toMatchObject({ count: 30, lacks: new Set(['file']) })
    expect(found.first).toHaveLength(20)
    expect(found.first[0]).toMatchObject({ id: 'image-0', referrers: undefined })
  })

  it.each([
    { asks: 'fail', logs: [], fails: true },
    { asks: 'warn', logs: [expect.stringMatching(/^warning: 7 assets could not be saved: image-0 \(404\): it is gone\./)], fails: false },
    { asks: 'ignore', logs: [expect.stringMatching(/^info: 7 assets could not be saved/)], fails: false },
  ] as const)('end the run only if a user wants that: $asks', async ({ asks, logs, fails }) => {
    const { tools, logged } = stepTools()
    const missing = Array.from({ length: 7 }, (_, index) => gone(`image-${index}`))
    const found = await findMissing(missing, { folder: '/none', data: undefined }, tools)
    const error = checkMissing(found, asks, tools)
    expect(logged).toEqual(logs)
    expect(error?.code).toBe(fails ? 'asset-missing' : undefined)
    if (error) expect(error.message).toMatch(/and 2 more, which the manifest lists$/)
  })

  it('are no matter if there are none', async () => {
    const { tools, logged } = stepTools()
    const found = await findMissing([], { folder: '/none', data: undefined }, tools)
    expect(checkMissing(found, 'fail', tools)).toBeUndefined()
    expect(logged).toEqual([])
  })
})
