import { execFile } from 'node:child_process'
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { add, backUpAssets, png } from './action/backup/assets/support.ts'
import { readSnapshot } from './action/support.ts'
import { startSanity } from './doubles/sanity/sanity.ts'
import { makeTempFolder, ROOT, runPeer } from './support/process.ts'

const run = promisify(execFile)

const recipe = async (): Promise<string> =>
  /```js\n(import \{ createWriteStream[\s\S]*?)```/.exec(await readFile(join(ROOT, 'docs/recipes.md'), 'utf8'))?.[1] ?? ''

/** The line that packs the folder: the stock command opens its source as a file. */
const packing = async (): Promise<string[]> =>
  /^tar (.*)$/m
    .exec(/## Bring assets back([\s\S]*?)\n## /.exec(await readFile(join(ROOT, 'docs/recipes.md'), 'utf8'))?.[1] ?? '')?.[1]
    ?.split(' ') ?? []

describe('the recipe that brings assets back', () => {
  it('takes a snapshot without any file of one kind, as it comes out of an artifact', async () => {
    await using made = await backUpAssets((sanity) => add(sanity, 'images', png(7, 2000), 'photo.png'))
    const { folder } = await readSnapshot(made.run)
    await using temp = await makeTempFolder('recipe')
    await cp(folder, join(temp.path, 'snapshot'), { recursive: true })
    await rm(join(temp.path, 'snapshot/assets/files'), { recursive: true })
    await mkdir(join(temp.path, 'import'))
    await writeFile(join(temp.path, 'for-import.mjs'), await recipe())
    await run(process.execPath, ['for-import.mjs', 'snapshot', 'import'], { cwd: temp.path })
    expect((await readdir(join(temp.path, 'import/images'))).map((name) => `assets/images/${name}`)).toEqual([made.filled.path])
  })

  it('restores every file, document and reference into an empty project with the real importer', async () => {
    const story = (image: string, film: string) => ({
      _id: 'story',
      _type: 'post',
      text: 'a\u2028b',
      main: { _type: 'image', alt: 'An image', asset: { _ref: image, _type: 'reference' }, hotspot: { x: 0.5, y: 0.25 } },
      parts: [{ _key: 'k', _type: 'file', asset: { _ref: film, _type: 'reference' } }],
    })
    await using made = await backUpAssets((sanity) => {
      const image = add(sanity, 'images', png(7, 2000), 'photo.png')
      const film = add(sanity, 'files', Buffer.from('a film'), 'film.mp4')
      sanity.store().put(story(image.id, film.id))
      return { image, film }
    })
    const { image, film } = made.filled
    const { folder } = await readSnapshot(made.run)
    await using temp = await makeTempFolder('recipe')
    await using target = await startSanity({ documents: [] })

    await mkdir(join(temp.path, 'import'))
    await writeFile(join(temp.path, 'for-import.mjs'), await recipe())
    await run(process.execPath, ['for-import.mjs', folder, 'import'], { cwd: temp.path })
    await run('tar', await packing(), { cwd: temp.path })
    const { url, project, dataset, editorToken: token } = target
    const importing = async (source: string) =>
      await runPeer(new URL('peers/import.mjs', import.meta.url), { url, project, dataset, token, source: join(temp.path, source) })
    expect(await importing('import')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('EISDIR') })
    expect(await importing('import.tar')).toMatchObject({ exitCode: 0 })

    const restored = target.store()
    expect(
      restored
        .documents()
        .map(({ _id }) => _id)
        .toSorted(),
    ).toEqual([`about-${film.id}`, `about-${image.id}`, 'first', 'story', film.id, image.id].toSorted())
    for (const { url: at, bytes } of [image, film]) {
      expect(restored.assets.get(new URL(at).pathname)?.bytes.equals(bytes)).toBe(true)
    }
    expect(restored.find('story')).toMatchObject(story(image.id, film.id))
    expect(restored.find(film.id)).toMatchObject({ originalFilename: 'film.mp4', extension: 'mp4' })
  })
})
