import { describe, expect, it } from '@jest/globals'
import type { Manifest } from '../../../../src/format/manifest/manifest.ts'
import { type Git, startGit } from '../../../doubles/git/git.ts'
import { startGithubRest } from '../../../doubles/github/github.ts'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { type BackupRun, backUp } from '../../support.ts'

const branch = 'sanity-backups'

/** Nights of a dataset of 100 documents, of which each changes one. */
async function startNights() {
  const git = await startGit()
  const github = await startGithubRest()
  const random = Array.from({ length: 100 }, () => crypto.randomUUID().repeat(5))
  return {
    git,
    night: async (dataset: string, number: number, inputs: Readonly<Record<string, string>> = {}): Promise<BackupRun> => {
      const documents = random.map((text, index) => ({ _id: `id-${index}`, _type: 'post', text, night: index === number ? number : 0 }))
      await using sanity = await startSanity({ documents, dataset })
      const run = await backUp({ sanity, github, git }, { inputs: { dataset, 'commit-message': `{dataset} ${number}`, ...inputs } })
      await run[Symbol.asyncDispose]()
      return run
    },
    [Symbol.asyncDispose]: async () => {
      await git[Symbol.asyncDispose]()
      await github[Symbol.asyncDispose]()
    },
  }
}

const subjects = (git: Git): string[] => git.run('log', '--reverse', '--format=%s', branch).split('\n')

/** How it counts, and what becomes of the rest, is shown by the tests of the destination. */
describe('keep-last', () => {
  it('keeps the newest snapshots of its dataset, and every other commit of anybody', async () => {
    await using nights = await startNights()
    const { git, night } = nights
    await night('production', 1)
    await night('staging', 1)
    await night('production', 2)
    git.commit(branch, { 'notes.txt': 'Mine' }, { message: 'A note', author: 'Ada <ada@acme.example>', date: '1700000000 +0130' })
    await night('production', 3)
    await night('staging', 2)
    const old = git.run('log', '--format=%an|%ae|%ad|%s', '--date=raw', branch).split('\n')
    git.reset()
    const run = await night('production', 4, { 'keep-last': '2' })

    expect(run.exitCode).toBe(0)
    expect(subjects(git)).toEqual(['staging 1', 'A note', 'production 3', 'staging 2', 'production 4'])
    expect(run.outputs['commit-sha']).toBe(git.run('rev-parse', branch))
    const kept = git.run('log', '--format=%an|%ae|%ad|%s', '--date=raw', branch).split('\n').slice(1)
    expect(kept).toEqual(old.filter((line) => !/production [12]$/.test(line)))
    expect(git.paths(`${branch}~3`)).toEqual(git.paths(branch).filter((path) => !path.includes('/production/')))
    expect(git.run('show', '--format=', '--name-status', branch).split('\n')).toHaveLength(3)
    git.run('fsck', '--strict')

    // Neither fetched nor pushed again: what the server has.
    const pushed = git.requests
      .filter(({ service }) => service === 'git-receive-pack')
      .reduce((sum, { receivedBytes }) => sum + receivedBytes, 0)
    const firstPush = git.requests.findIndex(({ service, method }) => service === 'git-receive-pack' && method === 'POST')
    const fetched = git.requests.slice(0, firstPush).reduce((sum, { sentBytes }) => sum + sentBytes, 0)
    expect(pushed).toBeLessThan(12_000)
    expect(fetched).toBeLessThan(60_000)
  }, 300_000)

  it('says of a snapshot that is older than all it keeps that it was not stored', async () => {
    await using nights = await startNights()
    const { git, night } = nights
    await night('production', 1)
    const path = 'abc12345/production/manifest.json'
    const manifest = JSON.parse(git.files(branch)[path] ?? '') as Manifest
    const later = { ...manifest, takenAt: new Date(Date.now() + 300_000).toISOString(), snapshot: 'abc12345-production-later' }
    git.commit(branch, { [path]: `${JSON.stringify(later, null, 2)}\n` }, { message: 'A faster run' })
    const run = await night('production', 2, { 'keep-last': '1' })
    expect(run.exitCode).toBe(0)
    expect(run.outputs).toMatchObject({ status: 'unchanged', branch, 'commit-sha': git.run('rev-parse', branch) })
    expect(run.warnings).toEqual([
      expect.stringMatching(/was not stored on the branch "sanity-backups".*abc12345-production-later.*Hint: /),
    ])
    expect(run.summary).toMatch(/⚠️ not kept: the branch holds a newer snapshot/)
    expect(subjects(git)).toEqual(['A faster run'])
  })
})
