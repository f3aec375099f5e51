import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { failureOf, threeDocuments } from '../../support.ts'
import { branch, folder, startWorld } from './support.ts'

describe('a branch that does not come back as it was stored', () => {
  it('is put back where it was', async () => {
    await using world = await startWorld()
    await world.night(threeDocuments)
    const before = world.git.run('rev-parse', branch)
    world.git.fault('git-receive-pack', {
      exchange: true,
      times: 1,
      after: async () => await world.git.lose(`${branch}:${folder}/manifest.json`),
    })
    const run = await world.night(threeDocuments.slice(1))
    expect(failureOf(run)).toMatchObject({ exitCode: 1, message: expect.stringMatching(/The branch was put back where it was/) })
    expect(world.git.run('rev-parse', branch)).toBe(before)
  })

  it('is an error when the server lost the commit', async () => {
    await using world = await startWorld()
    await world.night(threeDocuments)
    const before = world.git.run('rev-parse', branch)
    world.git.fault('git-receive-pack', {
      exchange: true,
      times: 1,
      after: async () => void world.git.run('update-ref', `refs/heads/${branch}`, before),
    })
    // Taken in the same second, the two would have the same name, by which a commit is looked for.
    await sleep(1000)
    const run = await world.night(threeDocuments.slice(1))
    expect(failureOf(run)).toMatchObject({ code: 'verification-failed', message: expect.stringMatching(/the commit is not in the branch/) })
    expect(world.git.run('rev-parse', branch)).toBe(before)
  })
})

describe('a push', () => {
  it('leaves nothing behind when the run is cancelled while it goes on', async () => {
    await using world = await startWorld()
    let signal: (() => void) | undefined
    world.git.fault('git-receive-pack', { exchange: true, connection: 'hang', times: 1, before: async () => signal?.() })
    const run = await world.night(threeDocuments, {
      onStart: (running) => {
        signal = () => running.signal('SIGINT')
      },
    })
    expect(failureOf(run)).toMatchObject({ exitCode: 130, code: 'cancelled' })
    expect(world.git.run('for-each-ref', '--format=%(refname)')).toBe('refs/heads/main')
  })
})
