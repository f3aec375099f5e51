import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type ArtifactRun, type Artifacts, startArtifacts } from '../../../doubles/artifacts/artifacts.ts'
import { startGit } from '../../../doubles/git/git.ts'
import { type GithubRest, restAnswers, startGithubRest } from '../../../doubles/github/github.ts'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { exampleManifest } from '../../../support/example.ts'
import { makeTempFolder } from '../../../support/process.ts'
import { type BackupRun, backUp, failureOf } from '../../support.ts'

let artifacts: Artifacts

beforeAll(async () => {
  artifacts = await startArtifacts()
})

afterAll(async () => await artifacts[Symbol.asyncDispose]())

const dataset = (posts: number, authors = 0) => [
  ...Array.from({ length: posts }, (_, index) => ({ _id: `post-${index}`, _type: 'post' })),
  ...Array.from({ length: authors }, (_, index) => ({ _id: `author-${index}`, _type: 'author' })),
]

type Night = {
  readonly posts: number
  readonly authors?: number
  readonly inputs?: Readonly<Record<string, string>>
  readonly run?: ArtifactRun
  readonly env?: Readonly<Record<string, string>>
}

/** Nights in one repository, each an artifact of a run of its own. */
async function startNights() {
  for (const { id } of artifacts.list()) artifacts.remove(id)
  const github: GithubRest = await startGithubRest({ artifacts })
  return {
    github,
    night: async ({ posts, authors, inputs = {}, run: workflow = artifacts.newRun(), env = {} }: Night): Promise<BackupRun> => {
      await using sanity = await startSanity({ documents: dataset(posts, authors) })
      const run = await backUp({ sanity, github, run: workflow }, { inputs, env })
      await run[Symbol.asyncDispose]()
      return run
    },
    [Symbol.asyncDispose]: async () => await github[Symbol.asyncDispose](),
  }
}

/** The filters that the example manifest was made with: only snapshots with the same ones are compared. */
const exampleFilters = { 'exclude-ids': exampleManifest.filters.excludeIds.join(',') }

describe('max-shrink-percent, for artifacts', () => {
  it('lets half of the documents go, and not one more', async () => {
    await using nights = await startNights()
    const first = await nights.night({ posts: 20 })
    const half = await nights.night({ posts: 10 })
    const before = artifacts.list().length
    const fewer = await nights.night({ posts: 4 })
    const looked = nights.github.count('zip')
    const off = await nights.night({ posts: 1, inputs: { 'max-shrink-percent': '100' } })
    expect([first, half, off].map(({ exitCode }) => exitCode)).toEqual([0, 0, 0])
    expect(first.summary).toContain('There was nothing to compare with: no artifact')
    expect(first.log).toContain('There is nothing to compare with (artifact): no artifact with the name "sanity-abc12345-production" holds')
    expect(half.summary).toMatch(/\| Documents \| \*\*10\*\* \| 20 \| −10 \|[\s\S]*\*\*What changed:\*\* post −10/)
    expect(failureOf(fewer)).toMatchObject({
      exitCode: 1,
      code: 'dataset-shrunk',
      title: 'The dataset has shrunk',
      message: expect.stringMatching(
        /gave 4 documents .* holds 10: 60 % fewer, .* allows 50 %. Shrunk: post from 10 to 4. Nothing was stored.\nHint: /s,
      ),
    })
    expect(artifacts.list()).toHaveLength(before + 1)
    // The two that compare look, more often if the storage gives no answer at first; the one that does not compare never does.
    expect(looked).toBeGreaterThanOrEqual(2)
    expect(nights.github.count('zip')).toBe(looked)
  })

  it('warns of types that shrank or are gone when the total passes', async () => {
    await using nights = await startNights()
    await nights.night({ posts: 20, authors: 3 })
    const run = await nights.night({ posts: 20 })
    expect(run.exitCode).toBe(0)
    expect(run.warnings).toEqual([expect.stringMatching(/some types lost more than 50 % of their documents. Gone: author \(3\)\./)])
  })

  it('compares with snapshots of the same filters only, and looks for an older one', async () => {
    await using nights = await startNights()
    await nights.night({ posts: 20 })
    await nights.night({ posts: 500, authors: 500, inputs: { types: 'post, author' } })
    const run = await nights.night({ posts: 15 })
    expect(run.exitCode).toBe(0)
    expect(run.summary).toContain('| Documents | **15** | 20 | −5 |')
  })

  it('takes the artifact of a repeated run for the newest, one of a fork never', async () => {
    await using nights = await startNights()
    const workflow = artifacts.newRun()
    await nights.night({ posts: 4, run: workflow })
    const again = await nights.night({ posts: 8, run: workflow, env: { GITHUB_RUN_ATTEMPT: '3' } })
    await nights.night({ posts: 100, inputs: { 'max-shrink-percent': '0' } })
    nights.github.foreign(artifacts.list().at(-1)?.id ?? 0)
    const run = await nights.night({ posts: 7, inputs: { 'max-shrink-percent': '12' } })
    expect(artifacts.list().map(({ name }) => name)).toContain('sanity-abc12345-production-attempt-3')
    expect([again.exitCode, run.code]).toEqual([0, 'dataset-shrunk'])
    expect(run.error?.message).toMatch(/holds 8: 12.5 % fewer/)
  })

  it.each([
    { name: 'may not be read', answer: restAnswers.forbidden, says: /GitHub answered 403.*actions: read/ },
    { name: 'were asked for too often', answer: restAnswers.rateLimited, says: /answered 403: its rate limit is used up.*the next time/ },
    { name: 'are not told', answer: restAnswers.serverError, says: /GitHub answered 500.*looked up again the next time/ },
  ])('warns, and does not fail, when the artifacts $name', async ({ answer, says }) => {
    await using nights = await startNights()
    nights.github.fault('artifacts', { answer })
    const run = await nights.night({ posts: 1 })
    expect(run.exitCode).toBe(0)
    expect(run.warnings).toEqual([expect.stringMatching(says)])
    expect(run.summary).toContain('Not compared with an earlier snapshot')
  })
})

describe('max-shrink-percent, when the storage has trouble', () => {
  it('passes a damaged artifact over, says so, and compares with the one before', async () => {
    await using nights = await startNights()
    await nights.night({ posts: 100 })
    const second = await nights.night({ posts: 100, inputs: { 'max-shrink-percent': '100' } })
    artifacts.blobFault({ on: 'download', times: 1, change: (bytes) => Buffer.alloc(bytes.length, 7) })
    const shrunk = await nights.night({ posts: 2 })
    expect([second.exitCode, shrunk.code]).toEqual([0, 'dataset-shrunk'])
    expect(shrunk.error?.message).toMatch(/holds 100: 98 % fewer/)
    expect(shrunk.warnings).toEqual([
      expect.stringMatching(/^The comparison passed a newer snapshot over \(artifact\)\. The artifact \d+ cannot be read: what came/),
    ])
  })

  it.each([200, 500])('stores the snapshot, and warns that nothing was compared, when it answers %s', async (status) => {
    await using nights = await startNights()
    await nights.night({ posts: 4 })
    artifacts.blobFault({ on: 'download', times: status === 500 ? 3 : 1, answer: { status, body: 'x'.repeat(300_000) } })
    const run = await nights.night({ posts: 4 })
    artifacts.reset()
    expect({ code: run.code, status: run.outputs['status'] }).toEqual({ code: undefined, status: 'stored' })
    expect(run.warnings).toEqual([expect.stringMatching(new RegExp(`was not checked \\(artifact\\)\\. .*it answered ${status}`))])
    expect(run.summary).toContain('⚠️ Not compared with an earlier snapshot: it could not be looked up')
  })
})

describe('max-shrink-percent, for other destinations', () => {
  it('says on a fresh runner that the folder is empty, that it did not run, and what guards instead', async () => {
    await using sanity = await startSanity({ documents: dataset(4) })
    await using run = await backUp({ sanity })
    expect(run.exitCode).toBe(0)
    expect(run.log).toMatch(
      /There is nothing to compare with \(directory\): the folder ".*" is empty, as it always is on a fresh runner\. `max-shrink-percent` did not run\. .*`min-documents`/,
    )
    expect(run.summary).toMatch(/There was nothing to compare with: the folder .* is empty.* did not run/)
    expect(run.summary).not.toContain('first snapshot')
  })

  it('compares with the newest folder in `path`', async () => {
    await using temp = await makeTempFolder('shrink')
    const older = { ...exampleManifest, documents: { ...exampleManifest.documents, count: 1000 } }
    const newer = { ...exampleManifest, documents: { ...exampleManifest.documents, count: 10, byType: { post: 10 } } }
    for (const [name, manifest] of [
      ['abc12345-production-20260101T000000Z', older],
      ['abc12345-production-20260102T000000Z-x', newer],
    ] as const) {
      await mkdir(join(temp.path, name))
      await writeFile(join(temp.path, name, 'manifest.json'), JSON.stringify(manifest))
    }
    await using sanity = await startSanity({ documents: dataset(4) })
    await using run = await backUp({ sanity }, { path: temp.path, inputs: exampleFilters })
    expect({ code: run.code, message: run.error?.message }).toEqual({
      code: 'dataset-shrunk',
      message: expect.stringMatching(/holds 10: 60 % fewer/),
    })
  })

  it('compares with the tip of the branch, and lets the worst destination decide', async () => {
    await using git = await startGit()
    await using github = await startGithubRest()
    await using temp = await makeTempFolder('shrink')
    await using many = await startSanity({ documents: dataset(10) })
    await using first = await backUp({ sanity: many, github, git })
    await using few = await startSanity({ documents: dataset(4) })
    const before = git.run('rev-parse', 'sanity-backups')
    await using second = await backUp({ sanity: few, github, git }, { path: temp.path, inputs: { destination: 'directory, branch' } })
    expect([first.exitCode, second.code]).toEqual([0, 'dataset-shrunk'])
    expect(git.run('rev-parse', 'sanity-backups')).toBe(before)
  })

  it('warns of a folder whose manifest cannot be read, unless there is an older one to compare with', async () => {
    await using temp = await makeTempFolder('shrink')
    const put = async (name: string, manifest: string): Promise<void> => {
      await mkdir(join(temp.path, name))
      await writeFile(join(temp.path, name, 'manifest.json'), manifest)
    }
    await put('abc12345-production-20260102T000000Z', '{"format":')
    await mkdir(join(temp.path, 'abc12345-production-20260103T000000Z'))
    await using sanity = await startSanity({ documents: dataset(4) })
    await using alone = await backUp({ sanity }, { path: temp.path, inputs: exampleFilters })
    await rm(alone.outputs['path'] ?? '', { recursive: true })
    await put(
      'abc12345-production-20260101T000000Z',
      JSON.stringify({ ...exampleManifest, documents: { ...exampleManifest.documents, count: 1000 } }),
    )
    await using withOlder = await backUp({ sanity }, { path: temp.path, inputs: exampleFilters })
    expect([alone.exitCode, withOlder.code]).toEqual([0, 'dataset-shrunk'])
    expect(alone.warnings).toEqual([
      expect.stringMatching(
        `was not checked \\(directory\\). The earlier snapshot in the folder "abc12345-production-20260102T000000Z" .*it is not JSON`,
      ),
    ])
    expect(alone.summary).toContain('Not compared with an earlier snapshot')
  })

  it('warns of a branch whose manifest cannot be read, and puts a good one there', async () => {
    const odd = { ...exampleManifest, documents: { ...exampleManifest.documents, byType: null } }
    await using git = await startGit()
    await using github = await startGithubRest()
    await using sanity = await startSanity({ documents: dataset(4) })
    await using first = await backUp({ sanity, github, git })
    git.commit('sanity-backups', { 'abc12345/production/manifest.json': JSON.stringify(odd) })
    await using second = await backUp({ sanity, github, git })
    await using third = await backUp({ sanity, github, git })
    expect([first, second, third].map(({ outputs }) => outputs['status'])).toEqual(['stored', 'stored', 'unchanged'])
    expect(second.warnings).toEqual([
      expect.stringMatching(
        `passed a newer snapshot over \\(branch\\). The earlier snapshot on the branch cannot be read.*its types are not counted`,
      ),
    ])
    expect(third.warnings).toEqual([])
  })
})
