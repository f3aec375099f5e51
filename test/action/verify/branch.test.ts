import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { SanityDocument } from '../../doubles/sanity/data/store.ts'
import { commits, folder, startWorld, type World } from '../backup/branch/support.ts'
import { readSnapshot, threeDocuments, threeLines } from '../support.ts'
import { ground, verifyWith } from './support.ts'

const branch = 'sanity-backups'
const source = { 'project-id': 'abc12345', dataset: 'production' }
const verify = async (world: World, inputs: Readonly<Record<string, string>>) =>
  await verifyWith({ inputs: { branch, ...inputs }, env: world.git.env })

describe.each(['text', 'compressed'])('a branch in the layout %s', (layout) => {
  let world: World
  let first: string

  beforeAll(async () => {
    world = await startWorld()
    const night = async (documents: readonly SanityDocument[]) => await world.night(documents, { inputs: { 'branch-layout': layout } })
    const run = await night(threeDocuments.slice(0, 2))
    first = run.outputs['snapshot'] ?? ''
    expect((await night(threeDocuments)).exitCode).toBe(0)
  })

  afterAll(async () => await world[Symbol.asyncDispose]())

  it('has its newest snapshot verified', async () => {
    await using run = await verify(world, source)
    expect(run.findings).toEqual([])
    expect(run.outputs).toMatchObject({ status: 'verified', 'document-count': '3' })
  })

  it('needs no dataset where only one lies on it', async () => {
    await using run = await verify(world, {})
    expect(run.outputs).toMatchObject({ status: 'verified', 'document-count': '3' })
  })

  it('has the snapshot in a commit verified', async () => {
    await using run = await verify(world, { commit: commits(world.git).at(-1) ?? '' })
    expect(run.outputs).toMatchObject({ status: 'verified', snapshot: first })
  })

  it('has the newest in its history verified that is not later than a time', async () => {
    const [, day, clock] = /-(\d{8})T(\d{6})Z/.exec(first) ?? []
    const at = `${day?.replace(/(....)(..)(..)/, '$1-$2-$3')}T${clock?.replace(/(..)(..)(..)/, '$1:$2:$3')}Z`
    await using run = await verify(world, { ...source, at })
    expect(run.outputs).toMatchObject({ status: 'verified', snapshot: first })
  })

  it('is looked at without its data at level structure', async () => {
    await using run = await verify(world, { level: 'structure' })
    expect(run.outputs).toMatchObject({ status: 'verified', 'document-count': '3' })
  })

  it('is left as a plain folder that can be verified in its turn', async () => {
    const to = join(ground, layout)
    await using run = await verify(world, { ...source, 'fetch-to': to })
    expect(run.error).toBeUndefined()
    const { files, lines, manifest } = await readSnapshot({ path: to })
    expect(files).toEqual(['data.ndjson.gz', 'manifest.json'])
    expect(lines.toSorted()).toEqual(threeLines.toSorted())
    expect(manifest.branch).toBeUndefined()
    await using again = await verifyWith({ inputs: { path: to } })
    expect(again.findings).toEqual([])
    expect(again.outputs['status']).toBe('verified')
  })

  it('is verified in a folder into which it was checked out, to the last byte', async () => {
    const to = join(ground, `${layout}-checked-out`)
    for (const [path, content] of Object.entries(world.git.files(branch))) {
      if (!path.startsWith(`${folder}/`)) continue
      await mkdir(dirname(join(to, path)), { recursive: true })
      await writeFile(join(to, path), path.endsWith('.gz') ? world.git.bytes(`${branch}:${path}`) : content)
    }
    const path = join(to, folder)
    await using run = await verifyWith({ inputs: { path } })
    expect([run.findings, run.outputs['status']]).toEqual([[], 'verified'])
    const name = (await readdir(path, { recursive: true })).find((each) => /author.*json$|data\.ndjson/.test(each)) ?? ''
    const good = await readFile(join(path, name))
    await writeFile(join(path, name), good.fill('~', 8, 9))
    await using bad = await verifyWith({ inputs: { path } })
    expect(bad.code).toBe('verification-failed')
  })

  it('has a finding if somebody changed a file on it', async () => {
    const path = Object.keys(world.git.files(branch)).find((each) => /documents\/author|data\.ndjson/.test(each)) ?? ''
    world.git.commit(branch, { [path]: 'changed by hand\n' })
    await using run = await verify(world, source)
    expect(run).toMatchObject({ code: 'verification-failed', outputs: { status: 'findings' } })
    expect(run.kinds).not.toEqual([])
    expect(run.error?.message).not.toContain('changed by hand')
  })
})

it('a branch that is not there is snapshot-missing', async () => {
  await using world = await startWorld()
  await using run = await verify(world, source)
  expect(run.code).toBe('snapshot-missing')
})

it('of several datasets on a branch none is guessed, and one that is not there is named', async () => {
  await using world = await startWorld()
  for (const dataset of ['production', 'staging']) await world.night(threeDocuments, { inputs: { dataset } })
  await using guess = await verify(world, {})
  expect(guess.code).toBe('input-invalid')
  expect(guess.error?.message).toMatch(/production.*staging/)
  await using staging = await verify(world, { ...source, dataset: 'staging' })
  expect(staging.outputs['status']).toBe('verified')
  await using none = await verify(world, { ...source, dataset: 'other' })
  expect(none.code).toBe('snapshot-missing')
})

it('nothing that is not on the branch is made on the runner', async () => {
  await using world = await startWorld()
  await world.night(threeDocuments)
  await using run = await verify(world, source)
  expect(await run.filesLeft()).toEqual([])
  expect(Object.keys(world.git.files(branch)).some((path) => path.startsWith(folder))).toBe(true)
})
