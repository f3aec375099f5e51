import { describe, expect, it } from '@jest/globals'
import { rejection } from '../../support/feed.ts'
import { branch, folder, someTexts, startScene } from './scene.ts'

const documentAt = (commit: string, git: { files: (commit: string) => Record<string, string> }): string =>
  Object.entries(git.files(commit)).find(([path]) => path.startsWith(`${folder}/documents/`))?.[1] ?? ''

describe('a run that finds a newer snapshot on the branch', () => {
  it('adds its own as a restore point below it, and leaves the tip as it was', async () => {
    await using scene = await startScene()
    const { git } = scene
    const [newer, older] = [await scene.snapshot(12, { texts: someTexts(3) }), await scene.snapshot(3, { texts: someTexts(2) })]
    await scene.store(newer)
    const before = git.run('rev-parse', `${branch}^{tree}`)
    const stored = await scene.store(older)

    expect(scene.history()).toEqual(['top', 3, 12])
    expect(git.run('rev-parse', `${branch}^{tree}`)).toBe(before)
    expect(stored).toMatchObject({ unchanged: false, commit: git.run('rev-parse', `${branch}^`) })
    expect(stored.manifest.snapshot).toBe(older.manifest.snapshot)
    expect(scene.manifestAt(stored.commit)).toEqual(stored.manifest)
    expect(git.paths(stored.commit).filter((path) => path.includes('/documents/'))).toHaveLength(2)
    expect(scene.said.info.join()).toMatch(/holds a newer snapshot, abc12345-production-20261122T120000Z, .*restore point below it/)
    git.run('fsck', '--strict')
  })

  it('does so in the layout compressed too, and where a label alone makes the difference', async () => {
    await using scene = await startScene()
    const layout = 'compressed' as const
    await scene.store(await scene.snapshot(12), { layout })
    const plain = await scene.store(await scene.snapshot(3), { layout })
    const labelled = await scene.store(await scene.snapshot(4, { label: 'pre-deploy' }), { layout })
    expect([plain.unchanged, labelled.unchanged]).toEqual([true, false])
    expect(scene.history()).toEqual(['top', 4, 12])
    expect(scene.manifestAt(labelled.commit)).toMatchObject({ label: 'pre-deploy', takenAt: '2026-11-22T04:00:00Z' })
    expect(scene.manifestAt(branch).label).toBeNull()
  })

  it('is one that lost a race to it, too', async () => {
    await using scene = await startScene()
    const { git } = scene
    await scene.store(await scene.snapshot(1))
    const [newer, older] = [await scene.snapshot(12, { texts: someTexts(3) }), await scene.snapshot(3, { texts: someTexts(3) })]
    git.fault('git-receive-pack', { exchange: true, times: 1, before: async () => void (await scene.store(newer)) })
    const stored = await scene.store(older)
    expect(scene.history()).toEqual(['top', 3, 12, 1])
    expect(stored.commit).toBe(git.run('rev-parse', `${branch}^`))
    expect(scene.manifestAt(branch).snapshot).toBe(newer.manifest.snapshot)
  })

  it('finds its commit when another run has gone on from there', async () => {
    await using scene = await startScene()
    await scene.store(await scene.snapshot(12, { texts: someTexts(3) }))
    const older = await scene.snapshot(3, { texts: someTexts(3) })
    const note = () => void scene.git.commit(branch, { 'notes.txt': 'Mine' }, { message: 'A note' })
    scene.git.fault('git-receive-pack', { exchange: true, times: 1, moves: 'refs/heads/', loseAnswer: true, after: async () => note() })
    const stored = await scene.store(older)
    expect(scene.history()).toEqual(['A note', 'top', 3, 12])
    expect(stored.commit).toBe(scene.git.run('rev-parse', `${branch}~2`))
  })

  it('warns of a clock that is ahead of this one', async () => {
    await using scene = await startScene()
    await scene.store(await scene.snapshot(12, { texts: someTexts(3) }))
    const now = () => new Date('2026-11-22T03:00:05Z')
    await scene.store(await scene.snapshot(3), { now })
    expect(scene.said.warnings).toEqual([expect.stringMatching(/clock .* is wrong: 2026-11-22T12:00:00Z.*Hint: Set the clock right/)])
  })
})

it('stores one of the same moment on top', async () => {
  await using scene = await startScene()
  await scene.store(await scene.snapshot(3, { texts: someTexts(3) }))
  await scene.store(await scene.snapshot(3, { label: 'second' }))
  expect(scene.history()).toEqual([3, 3])
  expect(scene.manifestAt(branch).label).toBe('second')
})

describe('keep-last counts by the time of the snapshots', () => {
  it.each([
    { keepLast: 1, hours: [12, 3], left: [12], warned: true },
    { keepLast: 2, hours: [12, 3], left: ['top', 3, 12], warned: false },
    { keepLast: 2, hours: [12, 3, 15], left: [15, 12], warned: false },
    { keepLast: 2, hours: [1, 12, 3], left: ['top', 3, 12], warned: false },
    { keepLast: 2, hours: [10, 12, 3], left: [12, 10], warned: true },
    { keepLast: 3, hours: [12, 3, 5, 13], left: [13, 'top', 5, 12], warned: false },
  ])(
    'keep-last: $keepLast, stored in the order $hours',
    async ({ keepLast, hours, left, warned }) => {
      await using scene = await startScene()
      for (const hour of hours) await scene.store(await scene.snapshot(hour, { texts: someTexts(3) }), { keepLast })
      expect(scene.history()).toEqual(left)
      expect(scene.manifestAt(branch).takenAt).toBe(`2026-11-22T${Math.max(...hours)}:00:00Z`)
      expect(scene.said.warnings.length > 0).toBe(warned)
      scene.git.run('fsck', '--strict')
    },
    300_000,
  )

  it.each(['text', 'compressed'] as const)(
    'tells of the newest in the place of one that is older than all it keeps, and pushes nothing: layout %s',
    async (layout) => {
      await using scene = await startScene()
      const newest = await scene.store(await scene.snapshot(12, { label: 'release', texts: someTexts(3) }), { keepLast: 1, layout })
      const before = scene.git.run('rev-parse', branch)
      scene.git.reset()
      const stored = await scene.store(await scene.snapshot(3, { texts: someTexts(3) }), { keepLast: 1, layout })
      expect(stored).toEqual({
        ...newest,
        ...{ unchanged: true, notKept: true, commit: before, byType: undefined },
        sizeBytes: layout === 'text' ? undefined : newest.sizeBytes,
      })
      expect(scene.git.run('rev-parse', branch)).toBe(before)
      expect(scene.git.requests.filter(({ service }) => service === 'git-receive-pack')).toEqual([])
      expect(scene.said.warnings).toEqual([
        expect.stringMatching(
          /abc12345-production-20261122T030000Z was not stored .*before all of the 1 .*20261122T120000Z-release.*Hint: /,
        ),
      ])
    },
  )

  it.each([
    { whose: 'that has a label', label: 'pre-deploy', now: '2026-11-22T13:00:00Z', hint: /Raise `keep-last`/ },
    {
      whose: 'that a tip of the future is in the way of',
      label: undefined,
      now: '2026-11-22T11:49:00Z',
      hint: /clock right.*take that commit off the branch/,
    },
  ])('refuses one $whose, and that is older than all it keeps', async ({ label, now, hint }) => {
    await using scene = await startScene()
    await scene.store(await scene.snapshot(12, { texts: someTexts(3) }), { keepLast: 1 })
    const before = scene.git.run('for-each-ref')
    const older = await scene.snapshot(3, { ...(label ? { label } : {}), texts: someTexts(3) })
    expect(await rejection(scene.store(older, { keepLast: 1, now: () => new Date(now) }))).toMatchObject({
      code: 'branch-conflict',
      title: 'The snapshot is older than all that are kept',
      hint: expect.stringMatching(hint),
    })
    expect(scene.git.run('for-each-ref')).toBe(before)
  })

  it('counts a snapshot that people committed by its manifest, whatever its commit says', async () => {
    await using scene = await startScene()
    const { git } = scene
    await scene.store(await scene.snapshot(3, { texts: someTexts(3) }))
    const late = { ...scene.manifestAt(branch), takenAt: '2026-11-22T11:00:00Z', snapshot: 'by-hand' }
    git.commit(branch, { [`${folder}/manifest.json`]: `${JSON.stringify(late, null, 2)}\n` }, { message: 'By hand' })
    await scene.store(await scene.snapshot(5, { texts: someTexts(3) }), { keepLast: 2 })
    expect(scene.history()).toEqual(['top', 5, 'By hand'])
    await scene.store(await scene.snapshot(13, { texts: someTexts(3) }), { keepLast: 2 })
    expect(scene.history()).toEqual([13, 'By hand'])
    expect(documentAt(branch, git)).not.toBe(documentAt(`${branch}^`, git))
  })
})
