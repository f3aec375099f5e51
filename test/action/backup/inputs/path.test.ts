import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { makeTempFolder } from '../../../support/process.ts'
import { backUp, failureOf, threeDocuments } from '../../support.ts'
import { backUpWith, invalid } from './support.ts'

describe('the path', () => {
  it.concurrent('fails the run when it is a file', async () => {
    await using folder = await makeTempFolder('path')
    const path = join(folder.path, 'file')
    await writeFile(path, 'mine')

    const { run } = await backUpWith({ path })

    expect(failureOf(run)).toMatchObject({ ...invalid, message: expect.stringMatching(/^path: /) })
    expect(await readFile(path, 'utf8')).toBe('mine')
  })

  it.concurrent('fails the run when it lies below a file', async () => {
    await using folder = await makeTempFolder('path')
    await writeFile(join(folder.path, 'file'), 'mine')

    const { run } = await backUpWith({ path: join(folder.path, 'file', 'below') })

    expect(failureOf(run)).toMatchObject({ ...invalid, message: expect.stringMatching(/^path: /) })
  })

  // Where even root may make no folder.
  it.concurrent('fails the run when nobody may write there', async () => {
    const { run } = await backUpWith({ path: '/sys/backups' })

    expect(failureOf(run)).toMatchObject({ ...invalid, message: expect.stringMatching(/^path: .*\/sys\/backups/) })
  })

  it.concurrent('is made when it is not there, and is relative to the workspace', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })

    await using run = await backUp({ sanity }, { inputs: { path: 'deep/er' } })

    expect(run.outputs['path']).toMatch(new RegExp(`^${run.workspace}/deep/er/abc12345-production-`))
  })

  it.concurrent('keeps what else lies in it', async () => {
    await using folder = await makeTempFolder('path')
    await writeFile(join(folder.path, 'mine.txt'), 'mine')

    const { run } = await backUpWith({ path: folder.path })

    expect(run.exitCode).toBe(0)
    expect(await readFile(join(folder.path, 'mine.txt'), 'utf8')).toBe('mine')
  })
})
