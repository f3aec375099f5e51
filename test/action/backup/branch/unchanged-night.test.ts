import { describe, expect, it } from '@jest/globals'
import { failureOf, threeDocuments } from '../../support.ts'
import { branch, changedIn, commits, folder, manifestOn, message, startWorld } from './support.ts'

describe('a night on which nothing changed', () => {
  it('makes no commit, and names the snapshot that is there', async () => {
    await using world = await startWorld()
    const first = await world.night(threeDocuments)
    const before = world.git.requests.length
    const second = await world.night(threeDocuments.toReversed())
    expect(second.exitCode).toBe(0)
    expect(second.outputs).toMatchObject({
      status: 'unchanged',
      snapshot: first.outputs['snapshot'],
      'commit-sha': first.outputs['commit-sha'],
      'size-bytes': first.outputs['size-bytes'],
    })
    expect(commits(world.git)).toHaveLength(1)
    expect(world.git.requests.slice(before).filter(({ service }) => service === 'git-receive-pack')).toEqual([])
    expect(second.summary).toMatch(/unchanged, nothing new to store/)
  })

  it('makes a commit of the manifest alone for a label that is not there yet', async () => {
    await using world = await startWorld()
    await world.night(threeDocuments)
    const labelled = await world.night(threeDocuments, {
      inputs: { label: 'pre-deploy', 'commit-message': 'Point {label} of {date}: {snapshot}' },
    })
    const again = await world.night(threeDocuments, { inputs: { label: 'pre-deploy' } })
    const plain = await world.night(threeDocuments)
    expect([labelled, again, plain].map(({ outputs }) => outputs['status'])).toEqual(['stored', 'unchanged', 'unchanged'])
    expect(changedIn(world.git, branch)).toEqual([`M\t${folder}/manifest.json`])
    const { snapshot, takenAt, label } = manifestOn(world.git)
    expect({ label, again: again.outputs['snapshot'] }).toEqual({ label: 'pre-deploy', again: snapshot })
    expect(message(world.git)).toContain(`Point pre-deploy of ${takenAt.slice(0, 10)}: ${snapshot}\n\nDocuments: unchanged`)
  })

  it('makes a commit of the manifest alone when the one there is a week old', async () => {
    await using world = await startWorld()
    const inputs = { 'branch-layout': 'compressed' }
    await world.night(threeDocuments, { inputs })
    const takenAt = new Date(Date.now() - 7.1 * 86_400_000).toISOString()
    const old = `${JSON.stringify({ ...manifestOn(world.git), takenAt }, null, 2)}\n`
    world.git.commit(branch, { [`${folder}/manifest.json`]: old })
    const run = await world.night(threeDocuments.toReversed(), { inputs })
    expect(run.outputs['status']).toBe('stored')
    expect(changedIn(world.git, branch)).toEqual([`M\t${folder}/manifest.json`])
    expect(manifestOn(world.git).files).toEqual(JSON.parse(old).files)
  })

  it('makes a commit of the manifest alone for other filters, so that the next night is compared with it', async () => {
    await using world = await startWorld()
    const posts = Array.from({ length: 100 }, (_, index) => ({ _id: `post-${index}`, _type: 'post' }))
    const filtered = { inputs: { 'exclude-types': 'secret' } }
    await world.night(posts)
    const other = await world.night(posts, filtered)
    const changed = changedIn(world.git, branch)
    const few = await world.night(posts.slice(0, 3), filtered)
    expect([other.outputs['status'], other.warnings, changed]).toEqual(['stored', [], [`M\t${folder}/manifest.json`]])
    expect(manifestOn(world.git).filters.excludeTypes).toEqual(['secret'])
    expect(failureOf(few)).toMatchObject({ code: 'dataset-shrunk', message: expect.stringContaining('holds 100: 97 % fewer') })
  })

  it.each([
    { name: 'says nothing of its filters', change: { filters: undefined, documents: {} } },
    { name: 'says little of its documents', change: { documents: { drafts: undefined, byType: undefined } } },
  ])('makes a commit of a good manifest in the place of one that $name', async ({ change }) => {
    await using world = await startWorld()
    await world.night(threeDocuments)
    const { documents, ...good } = manifestOn(world.git)
    const { count, contentDigest } = documents
    const odd = { ...good, ...change, documents: { ...documents, ...change.documents, count, contentDigest } }
    world.git.commit(branch, { [`${folder}/manifest.json`]: JSON.stringify(odd) })
    const run = await world.night(threeDocuments)
    expect(failureOf(run)).toMatchObject({ exitCode: 0, message: '' })
    expect([run.outputs['status'], changedIn(world.git, branch)]).toEqual(['stored', [`M\t${folder}/manifest.json`]])
    expect(manifestOn(world.git)).toMatchObject({ filters: good.filters, assets: good.assets, documents })
  })

  it('mends the branch if somebody took a document away', async () => {
    await using world = await startWorld()
    await world.night(threeDocuments)
    world.git.commit(branch, { [`${folder}/documents/post/ca/a.json`]: '{}' })
    const run = await world.night(threeDocuments)
    expect(run.outputs['status']).toBe('stored')
    expect(world.git.files(branch)[`${folder}/documents/post/ca/a.json`]).toContain('"First"')
  })
})
