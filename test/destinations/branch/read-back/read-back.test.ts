import { spawnSync } from 'node:child_process'
import { readdir, rm } from 'node:fs/promises'
import { describe, expect, it } from '@jest/globals'
import { rejection } from '../../../support/feed.ts'
import { branch, folder, keepNoOtherRefs, type Scene, someTexts, stagedIn, startScene } from '../scene.ts'

const day = 86_400_000

/** What was fetched after the first push. */
function fetchedAfterPush({ git }: Scene): number {
  const pushed = git.requests.findIndex(({ service, method }) => service === 'git-receive-pack' && method === 'POST')
  return git.requests.slice(pushed).reduce((sum, { sentBytes }) => sum + sentBytes, 0)
}

describe('what is fetched to be read back', () => {
  const texts = someTexts(100)
  const wholeBytes = 100 * 1500
  const edited = [...someTexts(1), ...texts.slice(1)]

  const rows: readonly {
    readonly name: string
    readonly days: number
    readonly change?: Parameters<Scene['store']>[1]
    readonly between?: (scene: Scene) => void
    readonly whole: boolean
  }[] = [
    { name: 'what is new, the next night', days: 1, whole: false },
    { name: 'what is new, on the seventh night', days: 6.99, whole: false },
    { name: 'all, when the last time is seven days ago', days: 7.01, whole: true },
    { name: 'all, after a change of layout', days: 1, change: { layout: 'compressed' }, whole: true },
    { name: 'all, after a rewrite', days: 1, change: { keepLast: 1 }, whole: true },
    {
      name: 'what is new, where others have committed since',
      days: 1,
      between: ({ git }) => void git.commit(branch, { 'notes.txt': 'Mine' }, { date: `${Math.floor(Date.now() / 1000)} +0000` }),
      whole: false,
    },
    {
      name: 'all, where another dataset was read back whole',
      days: 7.5,
      between: ({ git }) =>
        void git.commit(
          branch,
          { 'notes.txt': 'x' },
          {
            date: `${Math.floor(Date.now() / 1000)} +0000`,
            message: `x\n\nRead back whole: ${folder}-2\n`,
          },
        ),
      whole: true,
    },
  ]

  it.each(rows)('$name', async ({ days, change = {}, between, whole }) => {
    await using scene = await startScene()
    await scene.store(await scene.snapshot(1, { texts }), { now: () => new Date(Date.now() - days * day) })
    expect(fetchedAfterPush(scene)).toBeGreaterThan(wholeBytes)
    between?.(scene)
    scene.git.reset()
    await scene.store(await scene.snapshot(2, { texts: edited }), change)
    const fetched = fetchedAfterPush(scene)
    expect({ whole: fetched > wholeBytes, little: fetched < wholeBytes / 5 }).toEqual({ whole, little: !whole })
    expect(/^Read back whole: abc12345\/production$/m.test(scene.git.run('log', '-1', '--format=%B', branch))).toBe(
      whole && !change.keepLast,
    )
  })

  it('goes by a time that is not in the future', async () => {
    await using scene = await startScene()
    await scene.store(await scene.snapshot(1, { texts }), { now: () => new Date(Date.now() + day) })
    scene.git.reset()
    await scene.store(await scene.snapshot(2, { texts: edited }))
    expect(fetchedAfterPush(scene)).toBeGreaterThan(wholeBytes)
  })
})

describe('what comes back otherwise than it was stored', () => {
  /** What a server that loses or mixes something up may hold at a ref, once it has taken a push. */
  const rows: readonly { readonly name: string; readonly damage: (scene: Scene, ref: string) => void }[] = [
    {
      name: 'a commit with another file',
      damage: ({ git }, ref) => {
        const message = git.run('log', '-1', '--format=%B', ref)
        git.run('update-ref', 'refs/heads/other', `${ref}~1`)
        git.run('update-ref', ref, git.commit('other', { [`${folder}/documents/post/00/stranger.json`]: '{}' }, { message }))
        git.run('update-ref', '-d', 'refs/heads/other')
      },
    },
    { name: 'the commit before', damage: ({ git }, ref) => void git.run('update-ref', ref, `${ref}~1`) },
  ]

  it.each(rows)('is found before the branch is moved: $name', async ({ damage }) => {
    await using scene = await startScene()
    await scene.store(await scene.snapshot(1))
    const before = scene.git.run('for-each-ref')
    const second = await scene.snapshot(2, { texts: someTexts(4) })
    scene.git.fault('git-receive-pack', { exchange: true, times: 1, after: async () => damage(scene, stagedIn(scene.git)) })
    expect(await rejection(scene.store(second))).toMatchObject({
      code: 'verification-failed',
      message: expect.stringMatching(/The branch was left as it was\.$/),
    })
    expect(scene.git.run('for-each-ref')).toBe(before)
  })

  it.each(rows)('is found on the branch of a server that keeps no other refs: $name', async ({ damage }) => {
    await using scene = await startScene()
    keepNoOtherRefs(scene.git)
    await scene.store(await scene.snapshot(1))
    const second = await scene.snapshot(2, { texts: someTexts(4) })
    const after = async () => damage(scene, `refs/heads/${branch}`)
    scene.git.fault('git-receive-pack', { exchange: true, times: 1, moves: 'refs/heads/', after })
    await expect(scene.store(second)).rejects.toMatchObject({ code: 'verification-failed' })
  })

  it.each([
    { night: 'a night with changes', change: 1 },
    { night: 'a night without', change: 0 },
  ])('is a file that the server has lost, also if it is not new: $night', async ({ change }) => {
    await using scene = await startScene()
    const texts = someTexts(20)
    await scene.store(await scene.snapshot(1, { texts }), { now: () => new Date(Date.now() - 8 * day) })
    const before = scene.git.run('for-each-ref')
    const second = await scene.snapshot(2, { texts: [...texts, ...someTexts(change)] })
    const [, , blob = '', path = ''] = scene.git.run('ls-tree', '-r', branch, `${folder}/documents/`).split(/\s/)
    await loseBlob(scene, blob)
    expect(await rejection(scene.store(second))).toMatchObject({
      code: 'verification-failed',
      message: expect.stringContaining(path),
      hint: expect.stringMatching(/Name another `branch`/),
    })
    expect(scene.git.run('for-each-ref')).toBe(before)
  })
})

/** Takes a blob from the server's disk. */
async function loseBlob({ git }: Scene, blob: string): Promise<void> {
  git.run('repack', '-adq')
  const all = git.run('rev-list', '--objects', '--all').split('\n')
  const kept = all.map((line) => line.slice(0, 40)).filter((name) => name !== blob)
  const made = spawnSync('git', ['pack-objects', '-q', 'objects/pack/pack'], { cwd: git.folder, input: `${kept.join('\n')}\n` })
  const name = made.stdout.toString().trim()
  for (const file of await readdir(`${git.folder}/objects/pack`)) {
    if (!file.includes(name)) await rm(`${git.folder}/objects/pack/${file}`, { force: true })
  }
}

describe('a night on which nothing is new', () => {
  it.each([
    { days: 6.9, whole: false },
    { days: 7.1, whole: true },
  ])('reads the tip back whole where the last time is $days days ago: $whole', async ({ days, whole }) => {
    await using scene = await startScene()
    const texts = someTexts(100)
    await scene.store(await scene.snapshot(1, { texts }), { now: () => new Date(Date.now() - days * day) })
    scene.git.reset()
    const before = scene.git.run('for-each-ref')
    expect(await scene.store(await scene.snapshot(2, { texts }))).toMatchObject({ unchanged: true })
    const fetched = scene.git.requests.reduce((sum, { sentBytes }) => sum + sentBytes, 0)
    expect(fetched > 100 * 1500).toBe(whole)
    expect(scene.git.run('for-each-ref')).toBe(before)
  })
})
