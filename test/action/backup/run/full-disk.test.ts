import { randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { describe, expect } from '@jest/globals'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { smallDisk } from '../../../support/disk.ts'
import { onMachinesWith } from '../../../support/on-machines-with.ts'
import { backUp, failureOf, threeDocuments } from '../../support.ts'

describe('a disk that is full', () => {
  onMachinesWith('small disks').each([
    { name: 'for the data', randomBytes: 600_000, diskBytes: 256 * 1024 },
    // The data takes all pages of 4 KiB; the manifest gets none.
    { name: 'for the manifest only', randomBytes: 62_500, diskBytes: 64 * 1024 },
  ])('$name fails the run with what it needs and what there is, and keeps nothing', async ({ randomBytes: bytes, diskBytes }) => {
    await using disk = await smallDisk(diskBytes)
    await using sanity = await startSanity({ documents: [{ _id: 'a', _type: 'bulk', noise: randomBytes(bytes).toString('base64') }] })

    await using done = await backUp({ sanity }, { path: disk.path })

    expect(failureOf(done)).toMatchObject({
      exitCode: 1,
      code: 'disk-full',
      message: expect.stringMatching(/needs more than [\d.]+ [kM]?B.* [\d.]+ [kM]?B are free.*Hint: /s),
    })
    expect(await readdir(disk.path)).toEqual([])
    expect(sanity.count('export')).toBe(1)
  })

  onMachinesWith('small disks')('is large enough for what fits', async () => {
    await using disk = await smallDisk(256 * 1024)
    await using sanity = await startSanity({ documents: threeDocuments })

    await using done = await backUp({ sanity }, { path: disk.path })

    expect(done.exitCode).toBe(0)
  })
})
