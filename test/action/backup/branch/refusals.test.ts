import { describe, expect, it } from '@jest/globals'
import { startGit } from '../../../doubles/git/git.ts'
import { startGithubRest } from '../../../doubles/github/github.ts'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { backUp, failureOf, threeDocuments } from '../../support.ts'
import { startWorld } from './support.ts'

describe('a branch that does not take the snapshot', () => {
  it('says why a push is refused, in GitHub’s words, and stores elsewhere all the same', async () => {
    await using world = await startWorld()
    await world.git.refuse('protected')
    const run = await world.night(threeDocuments, { inputs: { destination: 'branch, directory' } })
    expect(failureOf(run)).toMatchObject({
      exitCode: 1,
      code: 'branch-rejected',
      title: 'The branch is protected',
      message: expect.stringMatching(
        /GH006.*At least 1 approving review.*is stored, and was read back, as directory\..*Hint: .*Settings, Branches/s,
      ),
    })
    expect(run.outputs).toMatchObject({ status: 'stored', branch: '', 'commit-sha': '' })
    expect(world.git.run('for-each-ref', '--format=%(refname)')).toBe('refs/heads/main')
  })

  it('refuses a document of over 100 MB before anything is stored anywhere', async () => {
    await using world = await startWorld()
    const run = await world.night([{ _id: 'big', _type: 'post', text: 'x'.repeat(105 * 1024 * 1024) }], {
      inputs: { destination: 'branch, directory' },
    })
    expect(failureOf(run)).toMatchObject({
      code: 'branch-too-large',
      message: expect.stringMatching(/documents\/post\/[0-9a-f]{2}\/big\.json.*110\.1 MB.*Hint: .*exclude-ids/s),
    })
    expect(world.git.requests.filter(({ service }) => service === 'git-receive-pack')).toEqual([])
  })
})

describe('the branch of another repository', () => {
  it('is asked for by name, and its own visibility counts', async () => {
    await using git = await startGit({ repository: 'acme/backups' })
    await using rest = await startGithubRest({ repository: 'acme/backups' })
    await using sanity = await startSanity({ documents: threeDocuments })
    const env = { GITHUB_REPOSITORY: 'acme/site' }
    await using run = await backUp({ sanity, github: rest, git }, { env, inputs: { repository: 'acme/backups', branch: 'nightly/sanity' } })
    expect(run.exitCode).toBe(0)
    expect(git.run('rev-parse', 'nightly/sanity')).toBe(run.outputs['commit-sha'])
    expect(rest.requests.map(({ path }) => path)).toEqual(['/repos/acme/backups'])
  })

  it('is refused when it is public', async () => {
    await using git = await startGit({ repository: 'acme/backups' })
    await using rest = await startGithubRest({ repository: 'acme/backups', visibility: 'public' })
    await using sanity = await startSanity({ documents: threeDocuments })
    await using run = await backUp({ sanity, github: rest, git }, { inputs: { repository: 'acme/backups' } })
    expect(run.code).toBe('public-repository')
    expect([git.requests, sanity.requests]).toEqual([[], []])
  })
})
