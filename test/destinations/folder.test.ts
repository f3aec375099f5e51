import { spawnSync } from 'node:child_process'
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { folderReader } from '../../src/destinations/folder.ts'
import { printManifest } from '../../src/format/manifest/manifest.ts'
import { describeReader } from '../contracts/reader.ts'
import { exampleManifest } from '../support/example.ts'
import { onMachinesWith } from '../support/on-machines-with.ts'
import { makeTempFolder } from '../support/process.ts'

describeReader('directory', async ({ signal, temp }) => {
  const path = join(temp, 'snapshots')
  await mkdir(path)
  let count = 0
  const putBytes = async (bytes: string | Buffer): Promise<void> => {
    const folder = join(path, `abc12345-production-202611${String(++count + 10)}T081500Z`)
    await mkdir(folder)
    await writeFile(join(folder, 'manifest.json'), bytes)
  }
  return {
    open: () => folderReader(path, { signal }),
    put: async (manifest) => await putBytes(printManifest(manifest)),
    putOther: async () => void (await mkdir(join(path, `unfinished-${++count}`))),
    putBytes,
    breakDown: async () => await rm(path, { recursive: true }),
    [Symbol.asyncDispose]: async () => undefined,
  }
})

describe('a snapshot in a folder', () => {
  onMachinesWith('mkfifo')('is not waited for where its manifest is a pipe', async () => {
    await using temp = await makeTempFolder('folder')
    expect(spawnSync('mkfifo', [join(temp.path, 'manifest.json')]).status).toBe(0)
    expect(await Array.fromAsync(folderReader(temp.path).newestFirst())).toMatchObject([
      { code: 'snapshot-invalid', message: expect.stringContaining('cannot be read. The system refused it (no file)') },
    ])
  })

  it('is read where it lies, with its names and sizes, and what is no ordinary file is told', async () => {
    await using temp = await makeTempFolder('folder')
    await mkdir(join(temp.path, 'assets'))
    await writeFile(join(temp.path, 'manifest.json'), printManifest(exampleManifest))
    await writeFile(join(temp.path, 'assets', 'one'), '12345')
    await symlink('/etc/hostname', join(temp.path, 'data.ndjson.gz'))
    const [found] = await Array.fromAsync(folderReader(temp.path).newestFirst())
    expect(found).toMatchObject({ manifest: exampleManifest, where: expect.stringContaining(temp.path) })
    const fetched = await (found as Exclude<typeof found, Error | undefined>).fetch('/nowhere', { level: 'data' })
    expect(fetched).toMatchObject({ folder: temp.path, odd: [{ kind: 'file-unexpected', path: 'data.ndjson.gz' }] })
    expect(fetched.listed.toSorted((a, b) => (a.path < b.path ? -1 : 1))).toEqual([
      { path: 'assets/one', sizeBytes: 5 },
      { path: 'manifest.json', sizeBytes: printManifest(exampleManifest).length },
    ])
  })
})
