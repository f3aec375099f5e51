import { readdir } from 'node:fs/promises'
import { describe, expect, it } from '@jest/globals'
import { dataWriter, neededOf, savesDocuments } from '../../../src/commands/backup/shard.ts'
import { source } from '../../support/feed.ts'
import { makeTempFolder } from '../../support/process.ts'

const filters = { includeDrafts: true, types: [], excludeTypes: ['secret'], excludeIds: [] }
const first = { index: 1, of: 3 }
const second = { index: 2, of: 3 }

describe('a shard', () => {
  it.each([
    { shard: null, saves: true },
    { shard: first, saves: true },
    { shard: second, saves: false },
  ])('saves the documents only if it is the first or there is no other: $shard', ({ shard, saves }) => {
    expect(savesDocuments(shard)).toBe(saves)
  })

  it('asks only for the documents of assets if it saves none, unless a user named types', () => {
    expect(neededOf(filters, first)).toEqual(filters)
    expect(neededOf(filters, second)).toEqual({ ...filters, types: ['sanity.imageAsset', 'sanity.fileAsset'] })
    expect(neededOf({ ...filters, types: ['post'] }, second).types).toEqual(['post'])
  })

  it.each([
    { shard: first, files: ['data.ndjson.gz'] },
    { shard: second, files: [] },
  ])('reads all lines, and writes them only if it saves documents: $shard', async ({ shard, files }) => {
    await using temp = await makeTempFolder()
    const lines = source([[Buffer.from('{"_id":"a"}')]])
    const write = dataWriter({ shard, folder: temp.path, compression: 'gzip', compressionLevel: 6, sealer: undefined })
    const written = await write(lines.items)
    expect(lines.closed()).toBe(true)
    expect(await readdir(temp.path)).toEqual(files)
    expect(written?.file.path).toBe(files[0])
  })
})
