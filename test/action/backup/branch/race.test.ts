import { describe, expect, it } from '@jest/globals'
import { failureOf, threeDocuments } from '../../support.ts'
import { branch, commits, folder, startWorld } from './support.ts'

describe('another run that is faster', () => {
  it('does not lose its snapshot: both are in the history', async () => {
    await using world = await startWorld()
    let raced = false
    world.git.fault('git-receive-pack', {
      before: async () => {
        if (raced) return
        raced = true
        world.git.commit(branch, { 'abc12345/staging/manifest.json': '{}' })
      },
    })
    const run = await world.night(threeDocuments)
    expect(run.exitCode).toBe(0)
    expect(world.git.paths(branch)).toEqual(expect.arrayContaining([`${folder}/manifest.json`, 'abc12345/staging/manifest.json']))
    expect(commits(world.git)).toHaveLength(2)
    expect(run.log).toMatch(/Another run has moved the branch/)
  })

  it('ends as a conflict after five races in a row, with nothing pushed', async () => {
    await using world = await startWorld()
    let races = 0
    world.git.fault('git-receive-pack', {
      exchange: true,
      moves: 'refs/heads/',
      before: async () => void world.git.commit(branch, { [`other/${++races}`]: 'x' }),
    })
    const run = await world.night(threeDocuments)
    expect(failureOf(run)).toMatchObject({
      code: 'branch-conflict',
      message: expect.stringMatching(/5 times in a row.*Hint: .*concurrency/s),
    })
    expect(world.git.paths(branch).filter((path) => path.startsWith('abc'))).toEqual([])
    expect(races).toBe(5)
    expect(world.git.run('for-each-ref', 'refs/sanity-backup')).toBe('')
  })

  it('is told apart from an answer that was lost on the way', async () => {
    await using world = await startWorld()
    world.git.fault('git-receive-pack', { exchange: true, loseAnswer: true, times: 1 })
    const run = await world.night(threeDocuments)
    expect(run.exitCode).toBe(0)
    expect(commits(world.git)).toEqual([run.outputs['commit-sha']])
  })

  it('may go on before the snapshot was read back', async () => {
    await using world = await startWorld()
    let pushed = ''
    world.git.fault('git-receive-pack', {
      exchange: true,
      moves: 'refs/heads/',
      after: async () => {
        pushed = world.git.run('rev-parse', branch)
        world.git.commit(branch, { [`${folder}/manifest.json`]: '{}' })
      },
    })
    const run = await world.night(threeDocuments)
    expect(run.exitCode).toBe(0)
    expect(run.outputs['commit-sha']).toBe(pushed)
  })
})
