import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { branchDestination } from '../../../src/destinations/branch/branch.ts'
import type { FinishedSnapshot } from '../../../src/destinations/destination.ts'
import { findPrevious } from '../../../src/destinations/find-previous.ts'
import { printManifest } from '../../../src/format/manifest.ts'
import { finishedSnapshot, someLines } from '../../contracts/destination.ts'
import { type Git, gitAnswers, startGit } from '../../doubles/git.ts'
import { rejection } from '../../streams/feed.ts'
import { makeTempFolder, type TempFolder } from '../../support/process.ts'
import { branch, options } from './support.ts'

let temp: TempFolder
let git: Git
let said: string[]

beforeEach(async () => {
  temp = await makeTempFolder('branch-faults')
  git = await startGit()
  said = []
})

afterEach(async () => {
  await git[Symbol.asyncDispose]()
  await temp[Symbol.asyncDispose]()
})

type Change = Partial<Pick<Parameters<typeof branchDestination>[0], 'layout' | 'keepLast' | 'now'>>

/** A whole night of the destination. */
async function night(snapshot: FinishedSnapshot, change: Change = {}) {
  const log = { info: (line: string) => void said.push(line), warning: () => undefined, progress: () => undefined }
  const made = options({ git, signal: new AbortController().signal, temp: temp.path, layout: 'text' })
  using destination = branchDestination({ ...made, log, ...change })
  await destination.check()
  await findPrevious(destination.reader, snapshot.manifest)
  await destination.prepare(snapshot)
  const stored = await destination.store(snapshot)
  if (stored.kind !== 'branch') throw new Error('it is not on the branch')
  return stored
}

const second = { snapshot: 'abc12345-production-20261123T081500Z', takenAt: '2026-11-23T08:15:00Z' }
const third = { snapshot: 'abc12345-production-20261124T081500Z', takenAt: '2026-11-24T08:15:00Z' }
const tipOf = (): string => git.run('rev-parse', branch)
const manifestAt = (commit: string): string => `${git.run('cat-file', 'blob', `${commit}:abc12345/production/manifest.json`)}\n`

type Night = { readonly change: Change; readonly before: boolean; readonly same: boolean }

const nights = {
  'the first night': { change: {}, before: false, same: false },
  'a night with changes': { change: {}, before: true, same: false },
  'a night that rewrites the history': { change: { keepLast: 1 }, before: true, same: false },
  'a night that finds the same documents in another order': { change: { layout: 'compressed' }, before: true, same: true },
} satisfies Record<string, Night>

const faults = {
  'an answer 503': { answer: gitAnswers.unavailable },
  'a reset': { connection: 'reset' },
  'an answer that is lost': { loseAnswer: true },
  'an answer cut in the middle': { cutAnswer: true },
} as const

it.each([
  ['the first night', 'an answer 503'],
  ['the first night', 'a reset'],
  ['the first night', 'an answer that is lost'],
  ['the first night', 'an answer cut in the middle'],
  ['a night with changes', 'an answer 503'],
  ['a night with changes', 'an answer that is lost'],
  ['a night that rewrites the history', 'an answer cut in the middle'],
  ['a night that finds the same documents in another order', 'a reset'],
] as const)(
  '%s is green whichever request meets %s',
  async (which, fault) => {
    const { change, before, same }: Night = nights[which]
    const lines = someLines()
    if (before) await night(await finishedSnapshot(temp.path, { lines }), change)
    const start = git.run('for-each-ref', '--format=%(objectname)', `refs/heads/${branch}`)
    const snapshot = await finishedSnapshot(temp.path, { ...second, label: 'x', lines: same ? lines.toReversed() : someLines() })
    const again = async () => {
      git.run('update-ref', ...(start ? [`refs/heads/${branch}`, start] : ['-d', `refs/heads/${branch}`]))
      const { commit, unchanged, manifest } = await night(snapshot, change)
      return { unchanged, commit, manifest: printManifest(manifest).toString() }
    }
    git.reset()
    await again()
    const requests = git.requests.length
    expect(requests).toBeGreaterThan(5)
    for (let skip = 0; skip < requests; skip++) {
      git.reset()
      git.fault('any', { ...faults[fault], skip, times: 1 })
      expect(await again()).toEqual({ unchanged: false, commit: tipOf(), manifest: manifestAt(tipOf()) })
      expect(git.requests.length).toBeGreaterThan(requests)
    }
    expect(said.filter((line) => line.includes('Try 2 of')).length).toBeGreaterThan(0)
  },
  120_000,
)

describe('a push', () => {
  it('whose second try, by git itself, is refused because the first one was done, is read back', async () => {
    // What curl does when a connection breaks before the answer: it sends the request again.
    git.fault('git-receive-pack', { exchange: true, twice: true, times: 1 })
    const stored = await night(await finishedSnapshot(temp.path))
    expect(stored).toMatchObject({ unchanged: false, commit: tipOf() })
    // Read back: what was fetched after the push.
    const pushedAt = git.requests.findLastIndex(({ service }) => service === 'git-receive-pack')
    expect(
      git.requests.slice(pushedAt).filter(({ service, method }) => service === 'git-upload-pack' && method === 'POST').length,
    ).toBeGreaterThan(1)
  })

  it('whose answer was lost, and on which others went on, is read back and not made anew', async () => {
    let pushed = ''
    git.fault('git-receive-pack', {
      exchange: true,
      loseAnswer: true,
      times: 1,
      after: async () => {
        pushed = tipOf()
        git.commit(branch, { 'abc12345/production/manifest.json': '{}' })
      },
    })
    expect(await night(await finishedSnapshot(temp.path))).toMatchObject({ unchanged: false, commit: pushed })
    expect(git.run('rev-list', '--count', branch)).toBe('2')
  })

  it.each(['lengthRequired', 'badRequest', 'requestTimeout'] as const)(
    'that a gateway refuses in chunks (%s) is sent once with its length',
    async (answer) => {
      git.fault('git-receive-pack', { exchange: true, chunked: true, answer: gitAnswers[answer] })
      const lines = [Buffer.from(JSON.stringify({ _id: 'a', _type: 'post', text: randomBytes(2_000_000).toString('base64') }))]
      expect(await night(await finishedSnapshot(temp.path, { lines }))).toMatchObject({ unchanged: false, commit: tipOf() })
      const sent = git.requests.filter(({ service, method }) => service === 'git-receive-pack' && method === 'POST')
      expect(sent.map(({ headers }) => Number(headers['content-length'] ?? 0) > 1_000_000).slice(-1)).toEqual([true])
      expect(said).toEqual([])
    },
  )

  it('of a run whose history another run has rewritten meanwhile is a lost race', async () => {
    await night(await finishedSnapshot(temp.path))
    await night(await finishedSnapshot(temp.path, second))
    git.fault('git-receive-pack', {
      exchange: true,
      times: 1,
      before: async () => {
        git.run('update-ref', '-d', `refs/heads/${branch}`)
        git.commit(branch, { 'other/file': 'rewritten' })
      },
    })
    expect(await night(await finishedSnapshot(temp.path, third))).toMatchObject({ unchanged: false, commit: tipOf() })
    expect(git.run('rev-list', '--count', branch)).toBe('2')
    expect(said).toEqual([expect.stringMatching(/Another run has moved the branch/)])
  })

  it('that would rewrite the history where the server forbids it says so', async () => {
    await night(await finishedSnapshot(temp.path))
    git.run('config', 'receive.denyNonFastForwards', 'true')
    expect(await rejection(night(await finishedSnapshot(temp.path, second), { keepLast: 1 }))).toMatchObject({
      code: 'branch-rejected',
      title: 'The server forbids rewriting the branch',
      hint: expect.stringMatching(/keep-last: 0.*receive\.denyNonFastForwards/),
    })
  })
})

it('does not take a repository for missing because its other name met a 503', async () => {
  git.fault('any', { answer: gitAnswers.unavailable, times: 1 })
  git.fault('any', { answer: gitAnswers.notFound, times: 1 })
  expect(await night(await finishedSnapshot(temp.path))).toMatchObject({ unchanged: false, commit: tipOf() })
})

it('leaves a commit there that could not be read back, and says so', async () => {
  git.fault('git-receive-pack', {
    exchange: true,
    times: 1,
    after: async () => git.fault('git-upload-pack', { answer: gitAnswers.unavailable }),
  })
  const error = await rejection(night(await finishedSnapshot(temp.path)))
  expect(error).toMatchObject({
    code: 'verification-failed',
    title: 'The branch could not be read back',
    message: expect.stringMatching(new RegExp(`^The commit ${tipOf()} was sent .*error: 503.* was left there`)),
  })
})
