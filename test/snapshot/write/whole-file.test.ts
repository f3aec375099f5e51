import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { printManifest } from '../../../src/format/manifest/manifest.ts'
import { writeManifest, writeOneOfMany } from '../../../src/snapshot/write/whole-file.ts'
import { digestOf } from '../../../src/streams/digest.ts'
import { smallDisk } from '../../support/disk.ts'
import { exampleManifest } from '../../support/example.ts'
import { rejection } from '../../support/feed.ts'
import { onMachinesWith } from '../../support/on-machines-with.ts'
import { makeTempFolder } from '../../support/process.ts'

describe('writeOneOfMany', () => {
  it('leaves nothing of files whose content fails at once, however many', async () => {
    await using temp = await makeTempFolder()
    const failing = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from('half')
      throw new Error('cut')
    }
    for (let round = 0; round < 20; round++) {
      const names = Array.from({ length: 30 }, (_, index) => `${round}-${index}`)
      await Promise.allSettled(
        names.map(async (name) => await writeOneOfMany(temp.path, name, { chunks: failing(), prove: async () => undefined })),
      )
    }
    expect(await readdir(temp.path)).toEqual([])
  })

  it('gives a file its name only when it is proven as it lies on disk', async () => {
    await using temp = await makeTempFolder()
    const seen: string[] = []
    const write = async (name: string, verdict: Error | undefined): Promise<void> => {
      const chunks = async function* () {
        yield Buffer.from('whole')
      }
      const prove = async (file: string): Promise<void> => {
        seen.push(`${name}: ${await readFile(file, 'utf8')}, ${(await readdir(temp.path)).includes(name)}`)
        if (verdict) throw verdict
      }
      await writeOneOfMany(temp.path, name, { chunks: chunks(), prove })
    }
    const wrong = new Error('wrong')
    await write('good', undefined)
    expect(await rejection(write('bad', wrong))).toBe(wrong)
    expect(seen).toEqual(['good: whole, false', 'bad: whole, false'])
    expect(await readdir(temp.path)).toEqual(['good'])
  })
})

describe('writeManifest', () => {
  it('writes the bytes of the manifest and describes the file', async () => {
    await using temp = await makeTempFolder()
    const entry = await writeManifest(temp.path, exampleManifest)
    const stored = await readFile(join(temp.path, 'manifest.json'))
    expect(stored.equals(printManifest(exampleManifest))).toBe(true)
    expect(entry).toEqual({ path: 'manifest.json', sizeBytes: stored.length, digest: digestOf(stored) })
    expect([await readdir(temp.path), await modeOf(join(temp.path, 'manifest.json'))]).toEqual([['manifest.json'], '600'])
  })
  onMachinesWith('small disks')('throws for a disk that is full, and leaves nothing', async () => {
    await using disk = await smallDisk(64 * 1024)
    await writeFile(join(disk.path, 'filler'), Buffer.alloc(48 * 1024))
    const byType = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`type-${index}`, index]))
    const large = { ...exampleManifest, documents: { ...exampleManifest.documents, byType } }
    expect(await rejection(writeManifest(disk.path, large))).toMatchObject({ code: 'disk-full' })
    expect(await readdir(disk.path)).toEqual(['filler'])
  })
})

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8)
}
