import { spawnSync } from 'node:child_process'
import { mkdir, readdir, readFile, symlink, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { cacheLimitBytes, openAssetCache } from '../../../src/snapshot/assets/cache.ts'
import { collectBytes } from '../../support/feed.ts'
import { onMachinesWith } from '../../support/on-machines-with.ts'
import { makeTempFolder } from '../../support/process.ts'

const nameOf = (letter: string): string => `${letter.repeat(40)}-1x1.png`
const pathOf = (letter: string): string => `assets/images/${nameOf(letter)}`

/** Files with holes in them: they have a size, and take no room. */
async function fill(folder: string, sizes: Readonly<Record<string, number>>): Promise<void> {
  await mkdir(join(folder, 'images'), { recursive: true })
  for (const [index, [letter, sizeBytes]] of Object.entries(sizes).entries()) {
    const file = join(folder, 'images', nameOf(letter))
    await writeFile(file, '')
    await truncate(file, sizeBytes)
    await utimes(file, 1_700_000_000 + index, 1_700_000_000 + index)
  }
}

describe('an asset cache', () => {
  const third = Math.ceil(cacheLimitBytes / 3)

  it('removes what was of use least recently, until the rest fits', async () => {
    await using temp = await makeTempFolder()
    await fill(temp.path, { a: third, b: third, c: third, d: third })
    const cache = await openAssetCache(temp.path, { mayLink: true })
    await cache.touch(pathOf('a'))
    expect(await cache.shrink(0)).toBe(2)
    expect((await readdir(join(temp.path, 'images'))).toSorted()).toEqual([nameOf('a'), nameOf('d')])
  })

  it('keeps all that a run has used, also when that is more than the limit', async () => {
    await using temp = await makeTempFolder()
    await fill(temp.path, { a: third, b: third, c: third, d: third })
    expect(await (await openAssetCache(temp.path, { mayLink: true })).shrink(4 * third)).toBe(0)
  })

  it('removes half-written files that are a day old, and no younger ones', async () => {
    await using temp = await makeTempFolder()
    await fill(temp.path, {})
    const [old, young] = ['old', 'young'].map((each) => join(temp.path, 'images', `${nameOf('a')}.${each}.partial`))
    await writeFile(old ?? '', 'half')
    await writeFile(young ?? '', 'half')
    await utimes(old ?? '', new Date(), new Date(Date.now() - 25 * 60 * 60 * 1000))
    await (await openAssetCache(temp.path, { mayLink: true })).shrink(0)
    expect(await readdir(join(temp.path, 'images'))).toEqual([`${nameOf('a')}.young.partial`])
  })

  it('gives back what it took in, and replaces it at once', async () => {
    await using temp = await makeTempFolder()
    const cache = await openAssetCache(join(temp.path, 'cache'), { mayLink: true })
    for (const content of ['first', 'second']) {
      await writeFile(join(temp.path, content), content)
      await cache.add(pathOf('a'), join(temp.path, content))
    }
    const found = await cache.findBytes(pathOf('a'))
    expect(found && (await collectBytes(found)).toString()).toBe('second')
    expect(await cache.findBytes(pathOf('b'))).toBeUndefined()
    expect(await readdir(join(temp.path, 'cache', 'images'))).toEqual([nameOf('a')])
  })

  it('copies what stays somewhere else, so that nobody who changes the one changes the other', async () => {
    await using temp = await makeTempFolder()
    await writeFile(join(temp.path, 'stored'), 'whole')
    const cache = await openAssetCache(join(temp.path, 'cache'), { mayLink: false })
    await cache.add(pathOf('a'), join(temp.path, 'stored'))
    await truncate(join(temp.path, 'cache', 'images', nameOf('a')), 1)
    expect(await readFile(join(temp.path, 'stored'), 'utf8')).toBe('whole')
  })

  onMachinesWith('mkfifo')('does not wait for who might write into a pipe', async () => {
    await using temp = await makeTempFolder()
    const cache = await openAssetCache(temp.path, { mayLink: true })
    expect(spawnSync('mkfifo', [join(temp.path, 'images', nameOf('a'))]).status).toBe(0)
    expect(await cache.findBytes(pathOf('a'))).toBeUndefined()
  })

  it('follows no link, and takes no folder for a file', async () => {
    await using temp = await makeTempFolder()
    const cache = await openAssetCache(temp.path, { mayLink: true })
    await mkdir(join(temp.path, 'images', nameOf('a')))
    await writeFile(join(temp.path, 'secret'), 'of others')
    await symlink(join(temp.path, 'secret'), join(temp.path, 'images', nameOf('b')))
    for (const letter of ['a', 'b']) expect(await cache.findBytes(pathOf(letter))).toBeUndefined()
  })
})
