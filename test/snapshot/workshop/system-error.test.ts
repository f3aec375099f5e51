import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { inWordsOf, systemError } from '../../../src/snapshot/workshop/system-error.ts'
import { smallDisk } from '../../support/disk.ts'
import { rejection } from '../../support/feed.ts'
import { onMachinesWith } from '../../support/on-machines-with.ts'

const refused = (code: string) => Object.assign(new Error(`${code}: x`), { code })

describe('what the system refuses', () => {
  it.each([
    { refusal: 'EMFILE', code: 'unexpected', title: 'Too many files are open', hint: 'ulimit -n' },
    { refusal: 'ENFILE', code: 'unexpected', title: 'Too many files are open', hint: 'ulimit -n' },
    { refusal: 'EFBIG', code: 'disk-full', title: 'A file is larger than the disk takes', hint: 'ulimit -f' },
    { refusal: 'EIO', code: 'unexpected', title: 'The disk failed', hint: 'dmesg' },
    { refusal: 'EROFS', code: 'input-invalid', title: 'The disk takes no changes', hint: 'may write to' },
    { refusal: 'EDQUOT', code: 'disk-full', title: 'The quota on the disk is used up', hint: 'raise its quota' },
    { refusal: 'ENOSPC', code: 'disk-full', title: 'The disk is full', hint: 'Free disk space' },
  ])('has words of its own, also as the cause of another error: $refusal', async ({ refusal, code, title, hint }) => {
    const error = await systemError(new Error('x', { cause: refused(refusal) }), '/backups')
    expect(error).toMatchObject({ code, title, hint: expect.stringContaining(hint) })
  })

  it.each(['EMFILE', 'ENFILE', 'EFBIG', 'EIO', 'EROFS', 'EDQUOT', 'ENOSPC'])(
    'is told without the inputs of a backup where a snapshot is read: %s',
    async (refusal) => {
      const error = await systemError(refused(refusal), '/backups')
      for (const place of ['fetch-to', 'RUNNER_TEMP'] as const) {
        expect(error && inWordsOf(place, error).hint).toMatch(/^(?!.*`(path|compression|asset-concurrency)).+/)
      }
    },
  )

  it('has none for anything else', async () => {
    expect(await systemError(refused('ECONNRESET'), '/backups')).toBeUndefined()
    expect(await systemError(new TypeError('x'), '/backups')).toBeUndefined()
  })

  onMachinesWith('small disks')('is told apart: free bytes, and no inode for another file', async () => {
    await using disk = await smallDisk(1024 * 1024, { inodes: 3 })
    await writeFile(join(disk.path, 'a'), '')
    await writeFile(join(disk.path, 'b'), '')
    const error = await rejection(writeFile(join(disk.path, 'c'), ''))
    expect(await systemError(error, disk.path)).toMatchObject({
      code: 'disk-full',
      title: 'The disk takes no more files',
      hint: expect.stringContaining('df -i'),
    })
  })
})
