import { afterAll, beforeAll } from '@jest/globals'
import { type ArtifactRun, type Artifacts, startArtifacts } from '../../../doubles/artifacts/artifacts.ts'
import { type GithubRest, startGithubRest } from '../../../doubles/github/github.ts'
import type { SanityDocument } from '../../../doubles/sanity/data/store.ts'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { type BackupOptions, type BackupRun, backUp, threeDocuments } from '../../support.ts'

/** One artifact service for the tests of a file: it is there from the first test to the last. */
export let artifacts: Artifacts

beforeAll(async () => {
  artifacts = await startArtifacts()
})

afterAll(async () => await artifacts[Symbol.asyncDispose]())

export type Method = Parameters<Artifacts['of']>[0]

export type Scene = BackupOptions & {
  readonly documents?: readonly SanityDocument[]
  readonly visibility?: 'private' | 'public' | 'internal'
  /** Given the run before it starts. */
  readonly before?: (run: ArtifactRun, github: GithubRest) => void
  readonly in?: ArtifactRun
  /** Looks at the run while its folder is there. */
  readonly inspect?: (run: BackupRun) => Promise<void>
}

export type Outcome = {
  readonly run: BackupRun
  readonly stored: ReturnType<Artifacts['list']>
  readonly workflow: ArtifactRun
  readonly exports: number
}

/** Backs up in a private repository, as an artifact of a workflow run of its own. */
export async function backUpInRun({
  documents = threeDocuments,
  visibility = 'private',
  before,
  inspect,
  in: given,
  ...options
}: Scene = {}): Promise<Outcome> {
  const workflow = given ?? artifacts.newRun()
  await using sanity = await startSanity({ documents })
  await using github = await startGithubRest({ visibility })
  before?.(workflow, github)
  await using run = await backUp({ sanity, github, run: workflow }, options)
  await inspect?.(run)
  return { run, stored: artifacts.list(workflow.runId), workflow, exports: sanity.count('export') }
}
