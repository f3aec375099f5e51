import { describe, expect, it } from '@jest/globals'
import { rejection } from '../../support/feed.ts'
import { branch, folder, startScene } from './scene.ts'

describe('another run that is faster', () => {
  it('ends as a conflict after five races in a row, with nothing pushed', async () => {
    await using scene = await startScene()
    const { git } = scene
    let races = 0
    const before = async () => void git.commit(branch, { [`other/${++races}`]: 'x' })
    git.fault('git-receive-pack', { exchange: true, moves: 'refs/heads/', before })
    expect(await rejection(scene.store(await scene.snapshot(1)))).toMatchObject({
      code: 'branch-conflict',
      message: expect.stringMatching(/5 times in a row/),
      hint: expect.stringMatching(/concurrency/),
    })
    expect(git.paths(branch).filter((path) => path.startsWith('abc'))).toEqual([])
    expect(races).toBe(5)
    expect(git.run('for-each-ref', 'refs/sanity-backup')).toBe('')
  })

  it('is told apart from an answer that was lost on the way', async () => {
    await using scene = await startScene()
    scene.git.fault('git-receive-pack', { exchange: true, loseAnswer: true, times: 1 })
    const { commit } = await scene.store(await scene.snapshot(1))
    expect(scene.git.run('rev-list', branch)).toBe(commit)
  })

  it('may go on before the snapshot was read back', async () => {
    await using scene = await startScene()
    const { git } = scene
    let pushed = ''
    const after = async () => {
      pushed = git.run('rev-parse', branch)
      git.commit(branch, { [`${folder}/manifest.json`]: '{}' })
    }
    git.fault('git-receive-pack', { exchange: true, moves: 'refs/heads/', after })
    expect(await scene.store(await scene.snapshot(1))).toMatchObject({ unchanged: false, commit: pushed })
  })
})
