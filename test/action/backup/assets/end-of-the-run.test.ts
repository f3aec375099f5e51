import { readdir } from 'node:fs/promises'
import { describe, expect, it } from '@jest/globals'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { smallDisk } from '../../../support/disk.ts'
import { onMachinesWith } from '../../../support/on-machines-with.ts'
import { until } from '../../../support/process.ts'
import { backUp, failureOf } from '../../support.ts'
import { processed } from './faults.ts'
import { add, addMany, backUpAssets, change, edit, png } from './support.ts'

describe('a file that is far larger than its document says', () => {
  it('is missing, and that is said', async () => {
    await using made = await backUpAssets(
      (sanity) => {
        const asset = add(sanity, 'files', Buffer.alloc(20_000_000, 'x'), 'film.mp4')
        edit(sanity, asset, { size: 10 })
        return asset
      },
      { inputs: { 'on-missing-asset': 'warn' } },
    )
    expect(made.run.outputs).toMatchObject({ status: 'incomplete', 'missing-asset-count': '1' })
    expect(made.run.maskedLog).toMatch(/More than four times the size that the document of the asset says came/)
    expect(made.sanity.count('asset')).toBe(2)
  })
})

describe('what ends the run', () => {
  it('is a host that gives other bytes for file after file, without asking for all of them', async () => {
    await using made = await backUpAssets(
      (sanity) => {
        const assets = addMany(sanity, 250)
        for (const asset of assets) change(sanity, asset, () => processed)
      },
      { inputs: { 'asset-concurrency': '64', 'on-missing-asset': 'ignore' } },
    )
    expect(failureOf(made.run)).toMatchObject({ exitCode: 1, code: 'sanity-unavailable', title: 'The asset host fails time after time' })
    expect(made.sanity.count('asset')).toBeLessThan(500)
  })

  it('is a host that fails time after time, without asking for every file', async () => {
    await using made = await backUpAssets(
      (sanity) => {
        sanity.fault('asset', { answer: { status: 503 } })
        return addMany(sanity, 150)
      },
      { inputs: { 'asset-concurrency': '4', 'on-missing-asset': 'ignore' } },
    )
    expect(failureOf(made.run)).toMatchObject({ exitCode: 1, code: 'sanity-unavailable', title: 'The asset host fails time after time' })
    expect(made.sanity.count('asset')).toBeLessThan(24)
  })

  onMachinesWith('small disks')('is a disk that is full, and what is told of it counts the files that were there', async () => {
    await using disk = await smallDisk(1024 * 1024)
    await using made = await backUpAssets(
      (sanity) => {
        for (const asset of Array.from({ length: 20 }, (_, index) => add(sanity, 'images', png(index + 1, 100_000)))) {
          edit(sanity, asset, { size: undefined })
        }
      },
      { path: disk.path, inputs: { 'asset-concurrency': '1' } },
    )
    expect(failureOf(made.run)).toMatchObject({ exitCode: 1, code: 'disk-full' })
    expect(failureOf(made.run).message).toMatch(/needs more than ([5-9]\d\d(\.\d)? kB|1\.\d MB)/)
    expect(await readdir(disk.path)).toEqual([])
  })

  it('is a rate limit that outlasts the patience', async () => {
    await using made = await backUpAssets((sanity) => {
      sanity.fault('asset', { answer: { status: 429, headers: { 'retry-after': '3600' } } })
      return addMany(sanity, 40)
    })
    expect(failureOf(made.run)).toMatchObject({ exitCode: 1, code: 'sanity-rate-limited' })
    expect(made.sanity.count('asset')).toBeLessThan(40)
  })

  it('is a disk that has no room for what the documents announce, before anything is downloaded', async () => {
    await using made = await backUpAssets((sanity) => edit(sanity, add(sanity, 'images', png(1)), { size: 8e15 }))
    const { code, message } = failureOf(made.run)
    expect(code).toBe('disk-full')
    expect(message).toMatch(/need more than 8000\.0 TB .* were free/)
    expect(made.sanity.count('asset')).toBe(0)
  })

  it('is a cancellation in the middle of a download, and nothing is left', async () => {
    await using sanity = await startSanity({ documents: [{ _id: 'first', _type: 'post' }] })
    addMany(sanity, 20)
    sanity.fault('asset', { stream: { ending: { how: 'stall', afterBytes: 5 } }, skip: 6 })
    await using run = await backUp(
      { sanity },
      {
        inputs: { 'include-assets': 'true' },
        onStart: async ({ signal }) => {
          await until(() => sanity.count('asset') >= 12)
          signal('SIGTERM')
        },
      },
    )
    expect(failureOf(run)).toMatchObject({ exitCode: 130, code: 'cancelled' })
  })

  it('is an export that fails while files are downloaded', async () => {
    await using sanity = await startSanity({ documents: [{ _id: 'first', _type: 'post' }] })
    addMany(sanity, 20)
    sanity.fault('asset', { stream: { ending: { how: 'stall', afterBytes: 5 } } })
    sanity.fault('export', { stream: { last: ['{"_type":"no id"}'] } })
    await using run = await backUp({ sanity }, { inputs: { 'include-assets': 'true' } })
    expect(failureOf(run)).toMatchObject({ exitCode: 1, code: 'export-invalid' })
  })
})
