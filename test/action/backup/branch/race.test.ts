import { describe, expect, it } from '@jest/globals'
import { threeDocuments } from '../../support.ts'
import { branch, commits, folder, startWorld } from './support.ts'

/** All other races are run by `test/destinations/branch/race.test.ts`. */
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
})
