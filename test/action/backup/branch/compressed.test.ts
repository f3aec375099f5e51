import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { failureOf, sha256, threeDocuments, threeLines } from '../../support.ts'
import { branch, changedIn, commits, folder, manifestOn, message, startWorld } from './support.ts'

describe('the layout compressed', () => {
  const inputs = { 'branch-layout': 'compressed' }

  it('holds the data file as an artifact does', async () => {
    await using world = await startWorld()
    const run = await world.night(threeDocuments, { inputs })
    const again = await world.night(threeDocuments.toReversed(), { inputs })
    const { files, documents } = manifestOn(world.git)
    const stored = world.git.bytes(`${branch}:${folder}/data.ndjson.gz`)
    expect(gunzipSync(stored).toString()).toBe(threeLines.map((line) => `${line}\n`).join(''))
    expect(files).toEqual([
      {
        path: 'data.ndjson.gz',
        sizeBytes: stored.length,
        digest: sha256(stored),
        contentBytes: gunzipSync(stored).length,
        contentDigest: sha256(gunzipSync(stored)),
      },
    ])
    expect(documents.count).toBe(3)
    expect(manifestOn(world.git)).not.toHaveProperty('branch')
    expect(run.outputs['digest']).toBe(sha256(stored))
    expect(again.outputs).toMatchObject({ status: 'unchanged', digest: sha256(stored), 'commit-sha': run.outputs['commit-sha'] })
    expect(world.git.paths(branch)).toEqual([
      'README.md',
      `${folder}/.gitattributes`,
      `${folder}/data.ndjson.gz`,
      `${folder}/manifest.json`,
    ])
  })

  it.each([
    { name: 'the same bytes', documents: threeDocuments, label: '' },
    { name: 'the same documents in another order', documents: threeDocuments.toReversed(), label: '' },
    { name: 'a label', documents: threeDocuments.toReversed(), label: 'pre-deploy' },
  ])('is mended on a night with $name if its data file was damaged', async ({ documents, label }) => {
    await using world = await startWorld()
    await world.night(threeDocuments, { inputs })
    world.git.commit(branch, { [`${folder}/data.ndjson.gz`]: 'damaged' })
    const run = await world.night(documents, { inputs: { ...inputs, label } })
    const stored = world.git.bytes(`${branch}:${folder}/data.ndjson.gz`)
    expect(failureOf(run)).toMatchObject({ exitCode: 0, message: '' })
    expect(run.outputs).toMatchObject({ status: 'stored', digest: sha256(stored) })
    expect(gunzipSync(stored).toString()).toBe(documents.map((document) => `${JSON.stringify(document)}\n`).join(''))
    expect(manifestOn(world.git).files).toEqual([expect.objectContaining({ digest: sha256(stored), sizeBytes: stored.length })])
  })

  it('takes the place of the layout text in one commit, and back', async () => {
    await using world = await startWorld()
    await world.night(threeDocuments)
    const there = await world.night(threeDocuments, { inputs })
    expect(
      changedIn(world.git, branch)
        .map((line) => line.split(`${folder}/`)[1])
        .toSorted(),
    ).toEqual(['data.ndjson.gz', 'documents/author/2e/c.json', 'documents/post/3e/b.json', 'documents/post/ca/a.json', 'manifest.json'])
    const back = await world.night(threeDocuments)
    expect([there, back].map(({ outputs }) => outputs['status'])).toEqual(['stored', 'stored'])
    expect(world.git.paths(branch)).toHaveLength(6)
    expect(message(world.git)).toContain('Documents: as many as before')
    expect(commits(world.git)).toHaveLength(3)
  })
})
