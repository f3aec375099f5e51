import { describe, expect, it } from '@jest/globals'
import { leftovers, newStagingRef } from '../../../src/destinations/branch/staging.ts'
import { branch, type Scene, someTexts, stagedIn, startScene } from './scene.ts'

const hour = 3_600_000
const refs = ({ git }: Scene): string[] => git.run('for-each-ref', '--format=%(refname)').split('\n')
const whole = /^Read back whole: abc12345\/production$/m

describe('a commit', () => {
  it('is read back before the branch is moved to it, and leaves no ref behind', async () => {
    await using scene = await startScene()
    const { git } = scene
    let seen: { readonly branch: string; readonly message: string; readonly fetched: number } | undefined
    const before = async () => {
      const fetched = git.requests.reduce((sum, { sentBytes }) => sum + sentBytes, 0)
      seen = {
        branch: git.run('for-each-ref', `refs/heads/${branch}`),
        message: git.run('log', '-1', '--format=%B', stagedIn(git)),
        fetched,
      }
    }
    git.fault('git-receive-pack', { exchange: true, moves: 'refs/heads/', times: 1, before })
    await scene.store(await scene.snapshot(1, { texts: someTexts(40) }))
    expect(seen).toEqual({ branch: '', message: expect.stringMatching(whole), fetched: expect.any(Number) })
    expect(seen?.fetched).toBeGreaterThan(40 * 1500)
    expect(refs(scene)).toEqual(['refs/heads/main', `refs/heads/${branch}`])
    const pushes = git.requests.filter(({ service, method }) => service === 'git-receive-pack' && method === 'POST')
    expect(pushes.map(({ receivedBytes }) => receivedBytes > 2000)).toEqual([true, false])
  })

  it('whose run was killed before it was proven is not on the branch, and its ref is removed a day later', async () => {
    await using scene = await startScene()
    const { git } = scene
    await scene.store(await scene.snapshot(1))
    const ago = (hours: number) => newStagingRef(new Date(Date.now() - hours * hour))
    const [old, young, foreign] = [ago(25), ago(23), 'refs/sanity-backup/by-hand']
    for (const ref of [old, young, foreign]) git.run('update-ref', ref, branch)
    await scene.store(await scene.snapshot(2, { texts: someTexts(3) }))
    expect(refs(scene)).toEqual(['refs/heads/main', `refs/heads/${branch}`, ...[young, foreign].toSorted()])
  })

  it('that lost a race takes the same ref again', async () => {
    await using scene = await startScene()
    const { git } = scene
    await scene.store(await scene.snapshot(1))
    git.fault('git-receive-pack', {
      exchange: true,
      moves: 'refs/heads/',
      times: 2,
      before: async () => void git.commit(branch, { [`other/${Math.random()}`]: 'x' }),
    })
    await scene.store(await scene.snapshot(2, { texts: someTexts(3) }))
    expect(git.run('rev-list', '--count', branch)).toBe('4')
    expect(refs(scene)).toEqual(['refs/heads/main', `refs/heads/${branch}`])
  })

  it.each([
    ['receive.advertiseAtomic', 'false'],
    ['receive.denyDeletes', 'true'],
  ])('is put on the branch by a server that cannot do both at once (%s)', async (setting, value) => {
    await using scene = await startScene()
    scene.git.run('config', setting, value)
    const { commit } = await scene.store(await scene.snapshot(1))
    expect(scene.git.run('rev-parse', branch)).toBe(commit)
  })
})

it('knows the age of a ref by its name, and takes none that is not ours', () => {
  const now = new Date('2026-11-22T08:00:00Z')
  const at = (time: string) => newStagingRef(new Date(time))
  const old = at('2026-11-21T07:59:59Z')
  expect(leftovers([old, at('2026-11-21T08:00:01Z'), at('2026-11-23T08:00:00Z'), 'refs/sanity-backup/x'], now)).toEqual([old])
  expect(old).toMatch(/^refs\/sanity-backup\/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})
