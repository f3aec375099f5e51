import { describe, expect, it } from '@jest/globals'
import { digestOf } from '../../../src/streams/digest.ts'
import { branch, folder, someTexts, startScene } from './scene.ts'

describe('keep-last', () => {
  it('starts again from the new tip when another run was faster, and loses nothing', async () => {
    await using scene = await startScene()
    const { git } = scene
    for (const hour of [1, 2]) await scene.store(await scene.snapshot(hour, { texts: someTexts(3) }))
    const faster = async () => void git.commit(branch, { 'abc12345/staging/manifest.json': '{}' }, { message: 'staging 1' })
    git.fault('git-receive-pack', { times: 1, before: faster })
    await scene.store(await scene.snapshot(3, { texts: someTexts(3) }), { keepLast: 1 })
    expect(scene.history()).toEqual([3, 'staging 1'])
    expect(git.paths(`${branch}^`)).toEqual(['README.md', 'abc12345/staging/manifest.json'])
  })

  it('rewrites also on a night on which nothing changed', async () => {
    await using scene = await startScene()
    const { git } = scene
    const texts = someTexts(3)
    await scene.store(await scene.snapshot(1, { texts: someTexts(3) }))
    await scene.store(await scene.snapshot(2, { texts }))
    const before = git.run('rev-parse', `${branch}^{tree}`)
    const stored = await scene.store(await scene.snapshot(3, { texts }), { keepLast: 1 })
    expect(stored).toMatchObject({ unchanged: true, commit: git.run('rev-parse', branch) })
    expect(scene.history()).toEqual([2])
    expect(git.run('rev-parse', `${branch}^{tree}`)).toBe(before)
  })

  it('keeps whole restore points when layouts change and a label adds a manifest alone', async () => {
    await using scene = await startScene()
    const { git } = scene
    const layout = 'compressed'
    const texts = someTexts(3)
    await scene.store(await scene.snapshot(1, { texts: someTexts(3) }))
    await scene.store(await scene.snapshot(2, { texts }), { layout })
    const labelled = await scene.store(await scene.snapshot(3, { texts, label: 'pre-deploy' }), { layout })
    const last = await scene.store(await scene.snapshot(4, { texts: someTexts(3) }), { layout, keepLast: 2 })
    expect([labelled, last].map(({ unchanged }) => unchanged)).toEqual([false, false])
    expect(scene.history()).toEqual([4, 3])
    for (const [commit, label] of [
      [`${branch}^`, 'pre-deploy'],
      [branch, null],
    ] as const) {
      expect(git.paths(commit)).toEqual(['README.md', `${folder}/.gitattributes`, `${folder}/data.ndjson.gz`, `${folder}/manifest.json`])
      const manifest = scene.manifestAt(commit)
      expect(manifest.label).toBe(label)
      expect(manifest.files[0]?.digest).toBe(digestOf(git.bytes(`${commit}:${folder}/data.ndjson.gz`)))
    }
    git.run('fsck', '--strict')
  })
})
