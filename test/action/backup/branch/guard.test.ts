import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { type Git, startGit } from '../../../doubles/git/git.ts'
import { type GithubRest, startGithubRest } from '../../../doubles/github/github.ts'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { type BackupRun, backUp, failureOf } from '../../support.ts'

let git: Git
let github: GithubRest

beforeEach(async () => {
  git = await startGit()
  github = await startGithubRest()
})

afterEach(async () => {
  await git[Symbol.asyncDispose]()
  await github[Symbol.asyncDispose]()
})

const dataset = (posts: number, authors: number) => [
  ...Array.from({ length: posts }, (_, index) => ({ _id: `post-${index}`, _type: 'post' })),
  ...Array.from({ length: authors }, (_, index) => ({ _id: `author-${index}`, _type: 'author' })),
]

async function night(posts: number, authors: number, inputs: Readonly<Record<string, string>> = {}): Promise<BackupRun> {
  await using sanity = await startSanity({ documents: dataset(posts, authors) })
  await using run = await backUp({ sanity, github, git }, { inputs })
  return run
}

const meant = { 'max-shrink-percent': '100' }

describe('on a branch', () => {
  it('a run of other types takes the place of the full snapshot only where it is told to', async () => {
    await night(20, 20)
    const before = git.run('rev-parse', 'sanity-backups')
    const refused = await night(20, 20, { types: 'post', 'max-shrink-percent': '49' })
    expect(failureOf(refused)).toMatchObject({
      code: 'dataset-shrunk',
      title: 'The snapshot would take too much out of the branch',
      message: expect.stringMatching(/20 of the 40 documents \(50 %.*`types` \(there empty, here "post"\).*Hint: .*name one in `branch`/s),
    })
    expect(git.run('rev-parse', 'sanity-backups')).toBe(before)
    expect((await night(20, 20, { types: 'post', ...meant })).exitCode).toBe(0)
  })

  it('a run of other ids does not take the place of the others, though both are of one type and as many', async () => {
    const documents = ['a', 'b'].flatMap((half) => Array.from({ length: 10 }, (_, index) => ({ _id: `${half}-${index}`, _type: 'post' })))
    const half = async (excluded: string): Promise<BackupRun> => {
      await using sanity = await startSanity({ documents })
      await using run = await backUp({ sanity, github, git }, { inputs: { 'exclude-ids': excluded } })
      return run
    }
    await half('b-*')
    expect(failureOf(await half('a-*'))).toMatchObject({
      code: 'dataset-shrunk',
      message: expect.stringMatching(/take 10 of the 10 documents .*`exclude-ids` \(there "b-\*", here "a-\*"\)/),
    })
  })

  it('the run after one of other filters compares with the newest of its own, in the history', async () => {
    await night(20, 20)
    await night(20, 20, { types: 'post', ...meant })
    await night(20, 20, { types: 'author', ...meant })
    git.commit('sanity-backups', { 'notes.txt': 'by somebody else' })
    const shrunk = await night(18, 1)
    const whole = await night(25, 20)
    expect(failureOf(shrunk)).toMatchObject({ code: 'dataset-shrunk', message: expect.stringMatching(/gave 19 documents .* holds 40:/s) })
    expect(whole.exitCode).toBe(0)
    expect(whole.warnings).toEqual([])
    expect(whole.summary).toMatch(/\| Documents \| .* \| \+5 \|/)
  })
})
