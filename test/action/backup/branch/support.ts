import { afterAll, beforeAll } from '@jest/globals'
import type { Manifest } from '../../../../src/format/manifest/manifest.ts'
import { type Git, startGit } from '../../../doubles/git/git.ts'
import { type GithubRest, startGithubRest } from '../../../doubles/github/github.ts'
import type { SanityDocument } from '../../../doubles/sanity/data/store.ts'
import { type Sanity, startSanity } from '../../../doubles/sanity/sanity.ts'
import { type BackupOptions, type BackupRun, backUp } from '../../support.ts'

/** A private repository for the tests of a file: GitHub's REST is there from the first test to the last. */
export let github: GithubRest

beforeAll(async () => {
  github = await startGithubRest()
})

afterAll(async () => await github[Symbol.asyncDispose]())

export const folder = 'abc12345/production'
export const branch = 'sanity-backups'

export type World = AsyncDisposable & {
  readonly git: Git
  readonly night: (documents: readonly SanityDocument[], options?: BackupOptions) => Promise<BackupRun>
}

/** A repository, and nights on which a dataset is backed up into it. */
export async function startWorld(options: Parameters<typeof startGit>[0] = {}): Promise<World> {
  const git = await startGit(options)
  return {
    git,
    night: async (documents, { inputs, ...rest } = {}) => {
      const dataset = inputs?.['dataset'] ?? 'production'
      await using sanity: Sanity = await startSanity({ documents, dataset })
      const run = await backUp({ sanity, github, git }, { ...rest, inputs: { ...inputs } })
      await run[Symbol.asyncDispose]()
      return run
    },
    [Symbol.asyncDispose]: async () => await git[Symbol.asyncDispose](),
  }
}

export const commits = (git: Git): string[] => git.run('rev-list', branch).split('\n')
export const message = (git: Git): string => git.run('log', '-1', '--format=%B', branch)
export const manifestOn = (git: Git): Manifest => JSON.parse(git.files(branch)[`${folder}/manifest.json`] ?? '') as Manifest

export const changedIn = (git: Git, commit: string): string[] =>
  git.run('show', '--format=', '--name-status', '--no-renames', commit).split('\n')
