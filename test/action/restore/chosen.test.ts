import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Artifacts, startArtifacts } from '../../doubles/artifacts/artifacts.ts'
import { type GithubRest, startGithubRest } from '../../doubles/github/github.ts'
import { type Sanity, startSanity } from '../../doubles/sanity/sanity.ts'
import { backUp, threeDocuments } from '../support.ts'
import { restoreInto } from './support.ts'

let sanity: Sanity
let artifacts: Artifacts
let github: GithubRest

beforeAll(async () => {
  sanity = await startSanity({ documents: threeDocuments, projects: { abc12345: { staging: { documents: [] } } } })
  artifacts = await startArtifacts()
  github = await startGithubRest({ artifacts })
  await using run = await backUp({ sanity, github, run: artifacts.newRun() })
  expect(run.code).toBeUndefined()
})

afterAll(async () => {
  for (const each of [sanity, github, artifacts]) await each[Symbol.asyncDispose]()
})

describe('a restore that somebody mistyped', () => {
  const env = () => ({ ...artifacts.newRun().env, ...github.env })

  it.each([
    { name: 'an id', inputs: { ids: 'aa' } },
    { name: 'a type', inputs: { types: 'posts' } },
  ])('warns that nothing is chosen: $name', async ({ inputs }) => {
    await using run = await restoreInto({ sanity }, { inputs, env: env() })
    expect(run.outputs).toMatchObject({ status: 'planned', 'unchanged-count': '0' })
    expect(run.warnings).toEqual([expect.stringMatching(/^No document of the snapshot is chosen: check the spelling of `types`, `ids`/)])
    expect(run.summary).toContain('⚠️ nothing to restore: no document of the snapshot is chosen')
  })

  it.each([
    {
      name: 'a day before the first backup',
      dataset: 'production',
      inputs: { at: '2026-01-01' },
      says: /Only those that were taken at 2026-01-01T23:59:59.000Z or before/,
    },
    {
      name: 'no source for another dataset',
      dataset: 'staging',
      inputs: {},
      says: /If it is to come from another dataset, name that one with `source-dataset`/,
    },
  ])('says why there is no snapshot: $name', async ({ dataset, inputs, says }) => {
    await using run = await restoreInto({ sanity, dataset }, { inputs, env: env() })
    expect(run.code).toBe('snapshot-missing')
    expect(run.error?.message).toMatch(says)
  })
})
