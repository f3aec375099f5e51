import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { makeSpool, type Spool } from '../../../src/snapshot/write/page-spool.ts'
import { collect, rejection, source } from '../../support/feed.ts'
import { makeTempFolder } from '../../support/process.ts'

const pages = [[[Buffer.from('{"_id":"a"}'), Buffer.from('{"_id":"ü"}')], [Buffer.from('{"_id":"c"}')]], [[Buffer.from('{"_id":"d"}')]]]

async function filled(folder: string): Promise<Spool> {
  const spool = makeSpool(folder)
  for (const page of pages) await spool.write(source(page).items)
  return spool
}

describe('makeSpool', () => {
  it('gives back the lines of its pages, and keeps none of them', async () => {
    await using temp = await makeTempFolder()
    const spool = await filled(temp.path)
    expect((await collect(spool.read())).flat().map(String)).toEqual(pages.flat(2).map(String))
    expect(await readdir(temp.path)).toEqual([])
  })

  it('takes a page anew whose lines ended in an error', async () => {
    await using temp = await makeTempFolder()
    const spool = makeSpool(temp.path)
    const cut = new Error('cut')
    expect(await rejection(spool.write(source(pages[0] ?? [], cut).items))).toBe(cut)
    await spool.write(source(pages[1] ?? []).items)
    expect((await collect(spool.read())).flat().map(String)).toEqual(['{"_id":"d"}'])
  })

  it.each([
    { what: 'was written over with other lines', damage: async () => zstdCompressSync('{"_id":"a"}\n{"_id":"u"}\n{"_id":"c"}\n') },
    { what: 'lost a line', damage: async () => zstdCompressSync('{"_id":"a"}\n{"_id":"ü"}\n') },
    { what: 'has two lines in another order', damage: async () => zstdCompressSync('{"_id":"ü"}\n{"_id":"a"}\n{"_id":"c"}\n') },
    { what: 'was cut off', damage: async (file: Buffer) => file.subarray(0, -3) },
    { what: 'is empty', damage: async () => Buffer.alloc(0) },
  ])('throws for a page that $what', async ({ damage }) => {
    await using temp = await makeTempFolder()
    const spool = await filled(temp.path)
    const file = join(temp.path, 'page-1.ndjson.zst')
    await writeFile(file, await damage(await readFile(file)))
    expect(await rejection(collect(spool.read()))).toMatchObject({
      code: 'verification-failed',
      title: 'The pages did not come back as they were written',
      message: expect.stringContaining('page-1.ndjson.zst'),
      hint: expect.stringContaining('Run the backup once more.'),
    })
  })
})
