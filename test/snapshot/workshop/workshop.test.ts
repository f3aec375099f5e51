import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { makeWorkshop, removeOpenWorkshops } from '../../../src/snapshot/workshop/workshop.ts'
import { rejection } from '../../support/feed.ts'
import { makeTempFolder } from '../../support/process.ts'

const name = 'abc12345-production-20261122T081500Z'

describe('makeWorkshop', () => {
  it('makes a folder that only its owner may read, under a partial name, and its parents', async () => {
    await using temp = await makeTempFolder()
    const path = join(temp.path, 'deep', 'down')
    using folder = await makeWorkshop({ path, name })
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
      expect(await makeWorkshop({ path: temp.path, name })).toBeUndefined()
      expect(await readFile(join(temp.path, taken, 'file'), 'utf8')).toBe('precious')
    },
  )

  it('gives one folder only to two that ask at the same time', async () => {
    await using temp = await makeTempFolder()
    const found = await Promise.all([makeWorkshop({ path: temp.path, name }), makeWorkshop({ path: temp.path, name })])
    expect(found.filter((folder) => folder !== undefined)).toHaveLength(1)
  })

  it('is published under its final name, and kept then', async () => {
    await using temp = await makeTempFolder()
    const folder = await makeWorkshop({ path: temp.path, name })
    await writeFile(join(folder?.path ?? '', 'file'), 'x')
    await folder?.publish()
    folder?.[Symbol.dispose]()
    expect(folder?.path).toBe(join(temp.path, name))
    expect(await readdir(temp.path, { recursive: true })).toEqual([name, join(name, 'file')])
  })

  it('is removed with all that it holds unless it was published', async () => {
    await using temp = await makeTempFolder()
    const folder = await makeWorkshop({ path: temp.path, name })
    await writeFile(join(folder?.path ?? '', 'file'), 'x')
    folder?.[Symbol.dispose]()
    expect(await readdir(temp.path)).toEqual([])
  })

  it('goes back into its workshop when it is withdrawn, and is gone with that', async () => {
    await using temp = await makeTempFolder()
    const folder = await makeWorkshop({ path: temp.path, name })
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
    const folder = await makeWorkshop({ path: temp.path, name })
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
    expect(await rejection(makeWorkshop({ path: path(temp.path), name }))).toMatchObject({
      code: 'input-invalid',
      message: expect.stringMatching(/^path: no folder can be made in "/),
    })
  })
})

it.each(['fetch-to', 'RUNNER_TEMP'] as const)('a folder that %s names and that cannot be made is told by that name', async (of) => {
  const error = await rejection(makeWorkshop({ path: '/proc/x', name, of }))
  expect(error).toMatchObject({ code: 'input-invalid', message: expect.stringMatching(`^${of}: no folder`) })
  expect(error).not.toMatchObject({ hint: expect.stringContaining('`path`') })
})

describe('the last moment of a process', () => {
  it('removes a workshop that is still open', async () => {
    await using temp = await makeTempFolder()
    const folder = await makeWorkshop({ path: temp.path, name })
    await writeFile(join(folder?.path ?? '', 'file'), 'x')
    removeOpenWorkshops()
    expect(await readdir(temp.path)).toEqual([])
  })

  it('removes what was made again in a workshop after its end, as by an artifact that is still being unpacked', async () => {
    await using temp = await makeTempFolder()
    const folder = await makeWorkshop({ path: temp.path, name })
    folder?.[Symbol.dispose]()
    await mkdir(folder?.readBack ?? '', { recursive: true })
    await writeFile(join(folder?.readBack ?? '', 'data.ndjson.gz'), 'x')
    removeOpenWorkshops()
    expect(await readdir(temp.path)).toEqual([])
  })

  it('leaves the snapshot alone that was published out of it', async () => {
    await using temp = await makeTempFolder()
    const folder = await makeWorkshop({ path: temp.path, name })
    await folder?.publish()
    folder?.[Symbol.dispose]()
    removeOpenWorkshops()
    expect(await readdir(temp.path)).toEqual([name])
  })

  it.each([
    { moment: 'says whose it is', files: ['owner.json', 'snapshot/file'] },
    { moment: 'holds what is not ours', files: ['precious'] },
  ])('leaves a folder alone that another run has made under the same name since, and that $moment', async ({ files }) => {
    await using temp = await makeTempFolder()
    const folder = await makeWorkshop({ path: temp.path, name })
    folder?.[Symbol.dispose]()
    const theirs = join(temp.path, `${name}.partial`)
    await mkdir(join(theirs, 'snapshot'), { recursive: true })
    for (const file of files) await writeFile(join(theirs, file), 'x')
    removeOpenWorkshops()
    expect(await readdir(temp.path)).toEqual([`${name}.partial`])
    for (const file of files) expect(await readFile(join(theirs, file), 'utf8')).toBe('x')
  })
})

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8)
}
