import { describe, expect, it } from '@jest/globals'
import { threeDocuments } from '../../support.ts'
import { branch, changedIn, commits, folder, message, startWorld } from './support.ts'

describe('a night with changes', () => {
  const changed = [{ _id: 'a', _type: 'post', title: 'Other' }, threeDocuments[2], { _id: 'd', _type: 'page' }]

  it('writes only what changed, and says it', async () => {
    await using world = await startWorld()
    await world.night(threeDocuments)
    const run = await world.night(changed)
    expect(
      changedIn(world.git, branch)
        .map((line) => line.replace(/\/[0-9a-f]{2}\//, '/hh/'))
        .toSorted(),
    ).toEqual([
      `A\t${folder}/documents/page/hh/d.json`,
      `D\t${folder}/documents/post/hh/b.json`,
      `M\t${folder}/documents/post/hh/a.json`,
      `M\t${folder}/manifest.json`,
    ])
    expect(message(world.git)).toContain('Documents: 1 created, 1 changed, 1 deleted\n- page: 1 created\n- post: 1 changed, 1 deleted\n')
    expect(run.summary).toMatch(/\| Documents \| .* \| same \|[\s\S]*\*\*What changed:\*\* page 1 created; post 1 changed, 1 deleted/)
    expect(commits(world.git)).toHaveLength(2)
  })

  it('fetches no old content before it pushes, and pushes little', async () => {
    await using world = await startWorld()
    const many = Array.from({ length: 500 }, (_, index) => ({ _id: `id-${index}`, _type: 'post', text: String(Math.random()).repeat(50) }))
    await world.night(many)
    world.git.reset()
    await world.night(many.with(0, { ...many[0]!, text: 'changed' }))
    const pushed = world.git.requests.findIndex(({ service, method }) => service === 'git-receive-pack' && method === 'POST')
    const fetched = world.git.requests.slice(0, pushed).reduce((sum, { sentBytes }) => sum + sentBytes, 0)
    expect(world.git.requests[pushed]?.receivedBytes).toBeLessThan(3_000)
    expect(fetched).toBeLessThan(60_000)
  })

  it('leaves alone what else lies on the branch', async () => {
    await using world = await startWorld()
    world.git.commit(branch, { 'README.md': 'Mine', 'other/notes.txt': 'Keep', 'abc12345/notes.txt': 'Keep too' })
    await world.night(threeDocuments)
    await world.night(changed, { inputs: { dataset: 'staging' } })
    await world.night(changed)
    const files = world.git.files(branch)
    expect(files).toMatchObject({ 'README.md': 'Mine', 'other/notes.txt': 'Keep', 'abc12345/notes.txt': 'Keep too' })
    expect(world.git.paths(branch).filter((path) => path.endsWith('manifest.json'))).toEqual([
      `${folder}/manifest.json`,
      'abc12345/staging/manifest.json',
    ])
    expect(commits(world.git)).toHaveLength(4)
  })

  it('puts no second README beside one in other letters', async () => {
    await using world = await startWorld()
    world.git.commit(branch, { 'Readme.md': 'Mine' })
    await world.night(threeDocuments)
    expect(world.git.paths(branch).filter((path) => /readme/i.test(path))).toEqual(['Readme.md'])
  })

  it('counts types harmlessly in its message, whatever they are called', async () => {
    await using world = await startWorld()
    await world.night([{ _id: 'a', _type: '[skip ci] #1 @ada\n\nCo-authored-by: x <x@x>' }])
    expect(message(world.git)).toContain('- ?skip ci? ?1 ?ada Co-authored-by? x ?x?x?: 1 created')
  })
})
