import { spawnSync } from 'node:child_process'
import { expect, it } from '@jest/globals'
import { branchReader } from '../../../src/destinations/branch/read.ts'
import { currentState } from '../../../src/destinations/branch/session.ts'
import { findPrevious } from '../../../src/destinations/find-previous.ts'
import { type Manifest, printManifest } from '../../../src/format/manifest/manifest.ts'
import { describeReader } from '../../contracts/reader.ts'
import { type Git, gitAnswers, startGit } from '../../doubles/git/git.ts'
import { exampleManifest } from '../../support/example.ts'
import { rejection } from '../../support/feed.ts'
import { makeTempFolder } from '../../support/process.ts'
import { branch, folder, openSession } from './scene.ts'

const others = { filters: { ...exampleManifest.filters, types: ['author'] } }

function put(git: Git, manifest: Partial<Manifest>, number = 0): void {
  git.commit(branch, { [`${folder}/manifest.json`]: JSON.stringify({ ...exampleManifest, snapshot: `number-${number}`, ...manifest }) })
}

/** `before` is called when the tip has been seen. */
async function find(git: Git, before: () => void = () => undefined) {
  await using temp = await makeTempFolder('previous')
  using session = openSession({ git, temp: temp.path })
  await currentState(session)
  before()
  const reader = branchReader(session)
  return { ...(await findPrevious(reader, exampleManifest)), whyNone: await reader.whyNone() }
}

describeReader('branch', async ({ signal, temp }) => {
  const git = await startGit()
  const putBytes = async (bytes: string) => void git.commit(branch, { [`${folder}/manifest.json`]: bytes })
  return {
    open: () => {
      const session = openSession({ git, temp }, { signal })
      return { ...branchReader(session), [Symbol.dispose]: () => session[Symbol.dispose]() }
    },
    put: async (manifest) => await putBytes(printManifest(manifest).toString()),
    putOther: async () => void git.commit(branch, { 'notes.txt': 'Mine', 'abc12345/staging/manifest.json': '{}' }),
    putBytes,
    breakDown: async () => git.fault('git-upload-pack', { answer: gitAnswers.unavailable }),
    [Symbol.asyncDispose]: async () => await git[Symbol.asyncDispose](),
  }
})

it('takes what lies at the tip, without a further request, where it has the same filters', async () => {
  await using git = await startGit()
  put(git, {}, 1)
  put(git, {}, 2)
  const found = await find(git, () => git.fault('git-upload-pack', { answer: gitAnswers.unavailable }))
  expect(found).toMatchObject({ manifest: { snapshot: 'number-2' }, passedOver: [] })
})

it('takes the newest of the same filters in the history where it has others', async () => {
  await using git = await startGit()
  put(git, {}, 1)
  put(git, { complete: false }, 2)
  put(git, others, 3)
  put(git, others, 4)
  expect(await find(git)).toMatchObject({ manifest: { snapshot: 'number-2' }, passedOver: [] })
})

it('passes over what cannot be read, and says so', async () => {
  await using git = await startGit()
  put(git, {}, 1)
  git.commit(branch, { [`${folder}/manifest.json`]: '{' })
  const { manifest, passedOver } = await find(git)
  expect(manifest).toMatchObject({ snapshot: 'number-1' })
  expect(passedOver).toMatchObject([{ message: expect.stringMatching(/on the branch cannot be read.*it is not JSON/) }])
})

it.each([
  { name: 'no branch', setUp: () => undefined, nothing: 'there is no branch "sanity-backups" yet' },
  {
    name: 'other filters only',
    setUp: (git: Git) => put(git, others),
    nothing: 'holds no earlier snapshot of this dataset with the same filters',
  },
  {
    name: 'another dataset only',
    setUp: (git: Git) => void git.commit(branch, { 'abc12345/staging/manifest.json': '{}' }),
    nothing: 'holds no',
  },
])('says that there is nothing to compare with where there is $name', async ({ setUp, nothing }) => {
  await using git = await startGit()
  setUp(git)
  expect(await find(git)).toMatchObject({ manifest: undefined, passedOver: [], whyNone: expect.stringContaining(nothing) })
})

it('says that older commits were not looked at, with the cure', async () => {
  await using git = await startGit()
  put(git, {}, 1)
  put(git, others, 2)
  const commits = Array.from({ length: 499 }, (_, index) => {
    const from = index === 0 ? `from refs/heads/${branch}^0\n` : ''
    return `commit refs/heads/${branch}\ncommitter A <a@acme.example> 1700000000 +0000\ndata 1\nx\n${from}`
  })
  spawnSync('git', ['fast-import', '--quiet', '--force'], { cwd: git.folder, input: commits.join('') })
  const { manifest, passedOver } = await find(git)
  expect(manifest).toBeUndefined()
  expect(passedOver).toMatchObject([
    { message: expect.stringContaining('None of the last 500 commits'), hint: expect.stringContaining('on a `branch` of its own') },
  ])
})

it('throws what the server says where it does not hand the history out', async () => {
  await using git = await startGit()
  put(git, others)
  const failing = find(git, () => git.fault('git-upload-pack', { answer: gitAnswers.unavailable }))
  expect(await rejection(failing)).toMatchObject({ code: 'branch-rejected', title: 'The git server cannot be reached' })
})
