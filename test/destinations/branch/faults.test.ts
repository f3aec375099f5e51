import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { FinishedSnapshot } from '../../../src/destinations/destination.ts'
import { printManifest } from '../../../src/format/manifest/manifest.ts'
import { finishedSnapshot, someLines } from '../../contracts/destination.ts'
import { type Git, gitAnswers } from '../../doubles/git/git.ts'
import { rejection } from '../../support/feed.ts'
import { branch, type Change, folder, keepNoOtherRefs, type Scene, startScene } from './scene.ts'

let scene: Scene
let git: Git

beforeEach(async () => {
  scene = await startScene()
  git = scene.git
})

afterEach(async () => await scene[Symbol.asyncDispose]())

const second = { snapshot: 'abc12345-production-20261123T081500Z', takenAt: '2026-11-23T08:15:00Z' }
const third = { snapshot: 'abc12345-production-20261124T081500Z', takenAt: '2026-11-24T08:15:00Z' }
const tipOf = (): string => git.run('rev-parse', branch)
const manifestAt = (commit: string): string => `${git.run('cat-file', 'blob', `${commit}:${folder}/manifest.json`)}\n`
const snapshotOf = async (change: Parameters<typeof finishedSnapshot>[1] = {}): Promise<FinishedSnapshot> =>
  await finishedSnapshot(scene.temp, change)

/** `after`: another night was there before. `same`: it stored the same documents. */
type Night = { readonly change: Change; readonly after: boolean; readonly same: boolean }

const nights = {
  'the first night': { change: {}, after: false, same: false },
  'a night with changes': { change: {}, after: true, same: false },
  'a night that rewrites the history': { change: { keepLast: 1 }, after: true, same: false },
  'a night that finds the same documents in another order': { change: { layout: 'compressed' }, after: true, same: true },
} satisfies Record<string, Night>

const faults = {
  'an answer 503': { answer: gitAnswers.unavailable },
  'a reset': { connection: 'reset' },
  'an answer that is lost': { loseAnswer: true },
  'an answer cut in the middle': { cutAnswer: true },
} as const

it.each([
  ['the first night', 'an answer 503'],
  ['the first night', 'an answer that is lost'],
  ['the first night', 'an answer cut in the middle'],
  ['a night with changes', 'an answer that is lost'],
  ['a night that rewrites the history', 'an answer cut in the middle'],
  ['a night that finds the same documents in another order', 'a reset'],
] as const)(
  '%s is green although each request meets %s',
  async (which, fault) => {
    const { change, after, same }: Night = nights[which]
    const lines = someLines()
    if (after) await scene.store(await snapshotOf({ lines }), change)
    const start = git.run('for-each-ref', '--format=%(objectname)', `refs/heads/${branch}`)
    const snapshot = await snapshotOf({ ...second, label: 'x', lines: same ? lines.toReversed() : someLines() })
    const again = async () => {
      git.run('update-ref', ...(start ? [`refs/heads/${branch}`, start] : ['-d', `refs/heads/${branch}`]))
      const { commit, unchanged, manifest } = await scene.store(snapshot, change)
      return { unchanged, commit, manifest: printManifest(manifest).toString() }
    }
    git.reset()
    await again()
    const before = git.requests
    expect(before.length).toBeGreaterThan(5)
    // Each question is struck where it comes to this place, and heard the next time.
    for (const place of [0, 1, 2]) {
      git.reset()
      git.fault('any', { ...faults[fault], place, firstTry: true })
      expect(await again()).toEqual({ unchanged: false, commit: tipOf(), manifest: manifestAt(tipOf()) })
      expect(git.requests.length).toBeGreaterThan(before.length)
    }
    expect(scene.said.info.filter((line) => line.includes('Try 2 of')).length).toBeGreaterThan(0)
  },
  300_000,
)

describe('a push', () => {
  it('whose second try, by git itself, is refused because the first one was done, is read back', async () => {
    // What curl does when a connection breaks before the answer: it sends the request again.
    git.fault('git-receive-pack', { exchange: true, twice: true, times: 1 })
    const stored = await scene.store(await snapshotOf())
    expect(stored).toMatchObject({ unchanged: false, commit: tipOf() })
    // Read back: what was fetched after the push.
    const pushedAt = git.requests.findIndex(({ service }) => service === 'git-receive-pack')
    expect(
      git.requests.slice(pushedAt).filter(({ service, method }) => service === 'git-upload-pack' && method === 'POST').length,
    ).toBeGreaterThan(1)
  })

  it('whose answer was lost, and on which others went on, is read back and not made anew', async () => {
    let pushed = ''
    git.fault('git-receive-pack', {
      exchange: true,
      loseAnswer: true,
      moves: 'refs/heads/',
      times: 1,
      after: async () => {
        pushed = tipOf()
        git.commit(branch, { 'abc12345/production/manifest.json': '{}' })
      },
    })
    expect(await scene.store(await snapshotOf())).toMatchObject({ unchanged: false, commit: pushed })
    expect(git.run('rev-list', '--count', branch)).toBe('2')
  })

  it.each(['lengthRequired', 'badRequest', 'requestTimeout'] as const)(
    'that a gateway refuses in chunks (%s) is sent once with its length',
    async (answer) => {
      git.fault('git-receive-pack', { exchange: true, chunked: true, answer: gitAnswers[answer] })
      const lines = [Buffer.from(JSON.stringify({ _id: 'a', _type: 'post', text: randomBytes(2_000_000).toString('base64') }))]
      expect(await scene.store(await snapshotOf({ lines }))).toMatchObject({ unchanged: false, commit: tipOf() })
      const sent = git.requests.filter(({ service, method }) => service === 'git-receive-pack' && method === 'POST')
      expect(sent.filter(({ headers }) => Number(headers['content-length'] ?? 0) > 1_000_000)).toHaveLength(1)
      expect(scene.said.info).toEqual([])
    },
  )

  it('of a run whose history another run has rewritten meanwhile is a lost race', async () => {
    await scene.store(await snapshotOf())
    await scene.store(await snapshotOf(second))
    git.fault('git-receive-pack', {
      exchange: true,
      times: 1,
      before: async () => {
        git.run('update-ref', '-d', `refs/heads/${branch}`)
        git.commit(branch, { 'other/file': 'rewritten' })
      },
    })
    expect(await scene.store(await snapshotOf(third))).toMatchObject({ unchanged: false, commit: tipOf() })
    expect(git.run('rev-list', '--count', branch)).toBe('2')
    expect(scene.said.info).toEqual([expect.stringMatching(/Another run has moved the branch/)])
  })

  it('that would rewrite the history where the server forbids it says so', async () => {
    await scene.store(await snapshotOf())
    git.run('config', 'receive.denyNonFastForwards', 'true')
    expect(await rejection(scene.store(await snapshotOf(second), { keepLast: 1 }))).toMatchObject({
      code: 'branch-rejected',
      title: 'The server forbids rewriting the branch',
      hint: expect.stringMatching(/keep-last: 0.*receive\.denyNonFastForwards/),
    })
  })
})

it('does not take a repository for missing because its other name met a 503', async () => {
  git.fault('any', { answer: gitAnswers.unavailable, times: 1 })
  git.fault('any', { answer: gitAnswers.notFound, times: 1 })
  expect(await scene.store(await snapshotOf())).toMatchObject({ unchanged: false, commit: tipOf() })
})

/** From the next push on the server gives nothing back. */
const silentAfterPush = (): void =>
  git.fault('git-receive-pack', {
    exchange: true,
    moves: 'refs/',
    times: 1,
    after: async () => git.fault('git-upload-pack', { answer: gitAnswers.unavailable }),
  })

it('leaves the branch as it was where the commit cannot be read back, and no ref of its own', async () => {
  await scene.store(await snapshotOf())
  const before = git.run('for-each-ref')
  silentAfterPush()
  expect(await rejection(scene.store(await snapshotOf(second)))).toMatchObject({
    code: 'verification-failed',
    title: 'The commit could not be read back',
    message: expect.stringMatching(/error: 503.* The branch was left as it was\.$/),
  })
  expect(git.run('for-each-ref')).toBe(before)
})

describe('a server that keeps no refs beside the branches', () => {
  beforeEach(() => keepNoOtherRefs(git))

  it('gets the commit on its branch, which claims nothing, so that all is read back each night', async () => {
    expect(await scene.store(await snapshotOf())).toMatchObject({ unchanged: false, commit: tipOf() })
    expect(git.run('log', '-1', '--format=%B', branch)).not.toMatch(/Read back whole/)
    expect(git.run('for-each-ref', '--format=%(refname)').split('\n')).toEqual(['refs/heads/main', `refs/heads/${branch}`])
  })

  it('keeps a commit that could not be read back, and the error says so', async () => {
    git.fault('git-receive-pack', {
      exchange: true,
      moves: 'refs/heads/',
      times: 1,
      after: async () => git.fault('git-upload-pack', { answer: gitAnswers.unavailable }),
    })
    expect(await rejection(scene.store(await snapshotOf()))).toMatchObject({
      code: 'verification-failed',
      title: 'The branch could not be read back',
      message: expect.stringMatching(new RegExp(`^The commit ${tipOf()} was sent .*error: 503.* was left there`)),
    })
    expect(git.run('log', '-1', '--format=%B', branch)).not.toMatch(/Read back whole/)
  })
})
