import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { type BackupOptions, failureOf, threeDocuments } from '../../support.ts'
import { branch, folder, startWorld } from './support.ts'

describe('a branch that does not come back as it was stored', () => {
  it.each([
    { way: 'is not moved', hidden: 'refs/none', moves: 'refs/sanity-backup/', says: /The branch was left as it was/ },
    {
      way: 'is put back, where the server keeps no other refs',
      hidden: 'refs/sanity-backup',
      moves: 'refs/heads/',
      says: /The branch was put back where it was/,
    },
  ])('$way', async ({ hidden, moves, says }) => {
    await using world = await startWorld()
    world.git.run('config', 'receive.hideRefs', hidden)
    await world.night(threeDocuments)
    const before = world.git.run('for-each-ref')
    const lose = async () => {
      const [ref = ''] = world.git.run('for-each-ref', '--format=%(refname)', moves).split('\n').toReversed()
      await world.git.lose(`${ref}:${folder}/manifest.json`)
    }
    world.git.fault('git-receive-pack', { exchange: true, times: 1, moves, after: lose })
    const run = await world.night(threeDocuments.slice(1))
    expect(failureOf(run)).toMatchObject({ exitCode: 1, code: 'verification-failed', message: expect.stringMatching(says) })
    expect(world.git.run('for-each-ref')).toBe(before)
  })

  it('is an error when the server lost the commit', async () => {
    await using world = await startWorld()
    world.git.run('config', 'receive.hideRefs', 'refs/sanity-backup')
    await world.night(threeDocuments)
    const before = world.git.run('rev-parse', branch)
    world.git.fault('git-receive-pack', {
      exchange: true,
      moves: 'refs/heads/',
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

it('a run that is killed once its commit was sent leaves the branch as it was', async () => {
  await using world = await startWorld()
  let kill: (() => void) | undefined
  world.git.fault('git-receive-pack', { exchange: true, times: 1, after: async () => kill?.() })
  const onStart: BackupOptions['onStart'] = (running) => {
    kill = () => running.signal('SIGKILL')
  }
  await world.night(threeDocuments, { onStart }).catch(() => undefined)
  expect(world.git.run('for-each-ref', `refs/heads/${branch}`)).toBe('')
  expect(world.git.run('for-each-ref', '--format=%(refname)', 'refs/sanity-backup')).toMatch(/^refs\/sanity-backup\/\S+$/)
})

describe('a push', () => {
  it.each(['refs/sanity-backup/', 'refs/heads/'])(
    'of %s leaves nothing behind when the run is cancelled while it goes on',
    async (moves) => {
      await using world = await startWorld()
      let signal: (() => void) | undefined
      world.git.fault('git-receive-pack', { exchange: true, moves, connection: 'hang', times: 1, before: async () => signal?.() })
      const run = await world.night(threeDocuments, {
        onStart: (running) => {
          signal = () => running.signal('SIGINT')
        },
      })
      expect(failureOf(run)).toMatchObject({ exitCode: 130, code: 'cancelled' })
      expect(world.git.run('for-each-ref', '--format=%(refname)')).toBe('refs/heads/main')
    },
  )
})
