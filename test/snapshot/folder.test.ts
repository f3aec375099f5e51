import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { findFreeFolder, sweepLeftovers } from '../../src/snapshot/folder.ts'
import { rejection } from '../streams/feed.ts'
import { smallDisk } from '../support/disk.ts'
import { makeTempFolder } from '../support/process.ts'

const name = 'abc12345-production-20261122T081500Z'

describe('findFreeFolder', () => {
  it('makes a folder that only its owner may read, under a partial name, and its parents', async () => {
    await using temp = await makeTempFolder()
    const path = join(temp.path, 'deep', 'down')
    using folder = await findFreeFolder({ path, name })
    expect(folder?.path).toBe(join(path, `${name}.partial`, 'snapshot'))
    expect(folder?.readBack).toBe(join(path, `${name}.partial`, 'readback'))
    expect(await modeOf(join(path, `${name}.partial`))).toBe('700')
    expect(await readdir(path)).toEqual([`${name}.partial`])
  })

  it.each([{ taken: name }, { taken: `${name}.partial` }])(
    'is undefined when $taken is there, and leaves that alone',
    async ({ taken }) => {
      await using temp = await makeTempFolder()
      await mkdir(join(temp.path, taken))
      await writeFile(join(temp.path, taken, 'file'), 'precious')
      expect(await findFreeFolder({ path: temp.path, name })).toBeUndefined()
      expect(await readFile(join(temp.path, taken, 'file'), 'utf8')).toBe('precious')
    },
  )

  it('gives one folder only to two that ask at the same time', async () => {
    await using temp = await makeTempFolder()
    const found = await Promise.all([findFreeFolder({ path: temp.path, name }), findFreeFolder({ path: temp.path, name })])
    expect(found.filter((folder) => folder !== undefined)).toHaveLength(1)
  })

  it('is published under its final name, and kept then', async () => {
    await using temp = await makeTempFolder()
    const folder = await findFreeFolder({ path: temp.path, name })
    await writeFile(join(folder?.path ?? '', 'file'), 'x')
    await folder?.publish()
    folder?.[Symbol.dispose]()
    expect(folder?.path).toBe(join(temp.path, name))
    expect(await readdir(temp.path, { recursive: true })).toEqual([name, join(name, 'file')])
  })

  it('is removed with all that it holds unless it was published', async () => {
    await using temp = await makeTempFolder()
    const folder = await findFreeFolder({ path: temp.path, name })
    await writeFile(join(folder?.path ?? '', 'file'), 'x')
    folder?.[Symbol.dispose]()
    expect(await readdir(temp.path)).toEqual([])
  })

  it('goes back into its workshop when it is withdrawn, and is gone with that', async () => {
    await using temp = await makeTempFolder()
    const folder = await findFreeFolder({ path: temp.path, name })
    await writeFile(join(folder?.path ?? '', 'file'), 'x')
    await folder?.publish()
    folder?.withdraw()
    expect(folder?.path).toBe(join(temp.path, `${name}.partial`, 'snapshot'))
    expect(await readdir(folder?.path ?? '')).toEqual(['file'])
    folder?.[Symbol.dispose]()
    expect(await readdir(temp.path)).toEqual([])
  })

  it('can be discarded even when it was published', async () => {
    await using temp = await makeTempFolder()
    const folder = await findFreeFolder({ path: temp.path, name })
    await folder?.publish()
    folder?.discard()
    folder?.[Symbol.dispose]()
    expect(await readdir(temp.path)).toEqual([])
  })

  it.each([
    { what: 'a file', path: (temp: string) => join(temp, 'file') },
    { what: 'a folder below a file', path: (temp: string) => join(temp, 'file', 'below') },
    { what: 'in a place where nobody may write', path: () => '/sys/sanity-backup' },
    { what: 'longer than a path may be', path: (temp: string) => join(temp, 'x'.repeat(5000)) },
  ])('refuses a path that is $what as an input', async ({ path }) => {
    await using temp = await makeTempFolder()
    await writeFile(join(temp.path, 'file'), 'x')
    expect(await rejection(findFreeFolder({ path: path(temp.path), name }))).toMatchObject({
      code: 'input-invalid',
      message: expect.stringMatching(/^path: no folder can be made in "/),
    })
  })
})

describe('sweepLeftovers', () => {
  const now = new Date('2026-11-22T09:00:00Z')
  const long = { host: 'another-machine', pid: 1 }

  it.each([
    { what: 'of a process that is gone', owner: { host: hostname(), pid: 2 ** 22 + 1 }, minutes: 1 },
    { what: 'of a process that had the number of this one', owner: { host: hostname(), pid: process.pid }, minutes: 1 },
    { what: 'of another machine, older than any run may last', owner: long, minutes: 6 * 60 + 1 },
    { what: 'of a living process, older than any run may last', owner: { host: hostname(), pid: process.ppid }, minutes: 6 * 60 + 1 },
    { what: 'whose owner was damaged', owner: undefined, minutes: 0 },
  ])('removes the workshop $what', async ({ owner, minutes }) => {
    await using temp = await makeTempFolder()
    await workshop(temp.path, { owner, madeAt: new Date(now.getTime() - minutes * 60_000) })
    expect(await sweepLeftovers(temp.path, now)).toEqual([`${name}.partial`])
    expect(await readdir(temp.path)).toEqual([])
  })

  it.each([
    { what: 'of a living process', owner: { host: hostname(), pid: process.ppid } },
    { what: 'of another machine', owner: long },
  ])('leaves the workshop $what alone', async ({ owner }) => {
    await using temp = await makeTempFolder()
    await workshop(temp.path, { owner, madeAt: new Date(now.getTime() - 60_000) })
    expect(await sweepLeftovers(temp.path, now)).toEqual([])
    expect(await readdir(temp.path)).toEqual([`${name}.partial`])
  })

  it('removes one whose run was killed while it wrote whose it is', async () => {
    await using temp = await makeTempFolder()
    await mkdir(join(temp.path, `${name}.partial`))
    await writeFile(join(temp.path, `${name}.partial`, 'owner.json.new'), '{"ho')
    expect(await sweepLeftovers(temp.path, now)).toEqual([`${name}.partial`])
    expect(await readdir(temp.path)).toEqual([])
  })

  it('removes last what says whose it was, so that the next run can go on with one that could not be removed', async () => {
    await using temp = await makeTempFolder()
    const owner = { host: hostname(), pid: 2 ** 22 + 1 }
    await workshop(temp.path, { owner, madeAt: new Date(now.getTime() - 60_000) })
    {
      // Nobody can remove a folder on which something is mounted.
      await using _ = await smallDisk(64 * 1024, { at: join(temp.path, `${name}.partial`, 'scratch') })
      expect(await sweepLeftovers(temp.path, now)).toEqual([])
      expect(await readdir(join(temp.path, `${name}.partial`))).toContain('owner.json')
    }
    expect(await sweepLeftovers(temp.path, now)).toEqual([`${name}.partial`])
  })

  it('removes one that is still empty: its run was killed before it could say whose it is', async () => {
    await using temp = await makeTempFolder()
    await mkdir(join(temp.path, `${name}.partial`))
    expect(await sweepLeftovers(temp.path, now)).toEqual([`${name}.partial`])
  })

  it('leaves everything alone that is no workshop of ours', async () => {
    await using temp = await makeTempFolder()
    await mkdir(join(temp.path, name))
    await mkdir(join(temp.path, 'my-notes.partial'))
    await mkdir(join(temp.path, `${name}-other.partial`, 'of-somebody'), { recursive: true })
    const before = await readdir(temp.path)
    expect(await sweepLeftovers(temp.path, now)).toEqual([])
    expect(await readdir(temp.path)).toEqual(before)
  })

  it('finds nothing in a folder that is not there', async () => {
    expect(await sweepLeftovers('/nowhere/at/all', now)).toEqual([])
  })

  async function workshop(path: string, { owner, madeAt }: { owner: object | undefined; madeAt: Date }): Promise<void> {
    const folder = join(path, `${name}.partial`)
    await mkdir(join(folder, 'snapshot'), { recursive: true })
    await writeFile(join(folder, 'snapshot', 'data.ndjson.gz.partial'), 'half')
    await writeFile(join(folder, 'owner.json'), owner ? JSON.stringify(owner) : '{"host":"')
    await utimes(join(folder, 'owner.json'), madeAt, madeAt)
  }
})

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8)
}
