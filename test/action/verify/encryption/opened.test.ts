import { spawnSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Manifest } from '../../../../src/format/manifest/manifest.ts'
import { makeKeys } from '../../../codec/age-files.ts'
import { type Artifacts, startArtifacts } from '../../../doubles/artifacts/artifacts.ts'
import { type GithubRest, startGithubRest } from '../../../doubles/github/github.ts'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { onMachinesWith } from '../../../support/on-machines-with.ts'
import { replaceFile } from '../../../support/sealed-snapshot.ts'
import { addMany } from '../../backup/assets/support.ts'
import { startWorld } from '../../backup/branch/support.ts'
import { ann, bob } from '../../backup/encryption/support.ts'
import { type BackupOptions, backUp, readSnapshot, sha256, threeDocuments, threeLines } from '../../support.ts'
import { copyOf, ground, onlyIn, verifyWith } from '../support.ts'

const toBoth = { 'encrypt-to': `${ann.recipient}\n${bob.recipient}` }
const source = { 'project-id': 'abc12345', dataset: 'production' }

/** Backs up three documents and four assets into a folder of its own, encrypted; gives the folder of the snapshot. */
async function sealedSnapshot(name: string, inputs: BackupOptions['inputs'] = {}): Promise<string> {
  await using sanity = await startSanity({ documents: threeDocuments })
  addMany(sanity, 4)
  const path = join(ground, name)
  await using run = await backUp({ sanity }, { path, inputs: { ...toBoth, 'include-assets': 'true', ...inputs } })
  expect(run.exitCode).toBe(0)
  return await onlyIn(path)
}

/** What must hold of what `fetch-to` left. */
async function checkPlain(to: string, assets: number): Promise<Manifest> {
  const { folder, manifest, data, lines } = await readSnapshot({ path: to })
  expect(manifest.encryption).toBeNull()
  expect(manifest.documents.byType).toMatchObject({ post: expect.any(Number), author: 1 })
  expect(manifest.filters.excludeIds).toContain('secrets.**')
  expect(manifest.assets.missing).toEqual([])
  const paths = manifest.files.map(({ path }) => path)
  expect(paths.filter((path) => /\.age|details/.test(path))).toEqual([])
  expect(paths.filter((path) => path.startsWith('assets/'))).toHaveLength(assets)
  for (const { path, sizeBytes, digest } of manifest.files) {
    const bytes = await readFile(join(folder, path))
    expect({ path, sizeBytes: bytes.length, digest: sha256(bytes) }).toEqual({ path, sizeBytes, digest })
  }
  expect(manifest.files.find(({ path }) => path.startsWith('data.'))).toMatchObject({
    contentBytes: data.length,
    contentDigest: sha256(data),
  })
  expect(lines).toEqual(expect.arrayContaining([...threeLines]))
  await using again = await verifyWith({ inputs: { path: to } })
  expect(again.findings).toEqual([])
  expect(again.outputs).toMatchObject({ status: 'verified', 'asset-count': `${assets}` })
  return manifest
}

describe('an encrypted snapshot in a folder', () => {
  it.each(['gzip', 'zstd'])('is opened while it is verified, and left plain: %s', async (compression) => {
    const sealed = await sealedSnapshot(compression, { compression })
    const to = join(ground, `${compression}-plain`)
    await using run = await verifyWith({ inputs: { path: sealed, identity: bob.identity, 'fetch-to': to } })
    expect(run.findings).toEqual([])
    expect(run.outputs).toMatchObject({ status: 'verified', path: await onlyIn(to), 'asset-count': '4' })
    expect(await run.filesLeft()).toEqual([])
    await checkPlain(to, 4)
  })

  it('is one to a hybrid key', async () => {
    const hanna = await makeKeys('hybrid')
    const sealed = await sealedSnapshot('hybrid', { 'encrypt-to': hanna.recipient })
    await using run = await verifyWith({ inputs: { path: sealed, identity: hanna.identity } })
    expect([run.findings, run.outputs['status']]).toEqual([[], 'verified'])
  })

  onMachinesWith('age')('is left as the stock age opens it, byte for byte', async () => {
    const sealed = await sealedSnapshot('stock')
    const to = join(ground, 'stock-plain')
    await using run = await verifyWith({ inputs: { path: sealed, identity: ann.identity, 'fetch-to': to } })
    expect(run.exitCode).toBe(0)
    const key = join(ground, 'key.txt')
    await writeFile(key, `${ann.identity}\n`)
    const { files } = await checkPlain(to, 4)
    for (const { path } of files) {
      const { stdout, status } = spawnSync('age', ['-d', '-i', key, join(sealed, `${path}.age`)])
      expect({ path, status, same: stdout.equals(await readFile(join(await onlyIn(to), path))) }).toEqual({ path, status: 0, same: true })
    }
  })

  it('leaves nothing where a file was changed, though the manifest was made to fit', async () => {
    const copy = await copyOf(await sealedSnapshot('changed'))
    const { files } = JSON.parse(await readFile(join(copy, 'manifest.json'), 'utf8')) as Manifest
    const path = files.find((file) => file.path.startsWith('assets/'))?.path ?? ''
    await replaceFile(copy, path, Buffer.concat([await readFile(join(copy, path)), Buffer.from('x')]))
    const to = join(ground, 'changed-plain')
    await using run = await verifyWith({ inputs: { path: copy, identity: ann.identity, 'fetch-to': to } })
    expect(run).toMatchObject({ code: 'verification-failed', outputs: { status: 'findings', path: '' }, kinds: ['content-unreadable'] })
    expect(run.findings).toEqual([expect.objectContaining({ path, message: expect.stringContaining('not what was encrypted') })])
    expect(await run.filesLeft(to)).toEqual([])
    expect(await run.filesLeft()).toEqual([])
  })
})

describe('encrypted artifacts', () => {
  let artifacts: Artifacts
  let github: GithubRest

  beforeAll(async () => {
    artifacts = await startArtifacts()
    github = await startGithubRest({ artifacts })
  })

  afterAll(async () => {
    await github[Symbol.asyncDispose]()
    await artifacts[Symbol.asyncDispose]()
  })

  async function verify(inputs: Readonly<Record<string, string>>) {
    const run = await verifyWith({ inputs: { ...source, identity: ann.identity, ...inputs }, env: github.env })
    github.reset()
    return run
  }

  it('are opened, and left plain', async () => {
    await using sanity = await startSanity({ documents: threeDocuments, dataset: 'whole' })
    await using made = await backUp({ sanity, github, artifacts, run: artifacts.newRun() }, { inputs: { ...toBoth, dataset: 'whole' } })
    expect(made.exitCode).toBe(0)
    const to = join(ground, 'artifact-plain')
    await using run = await verify({ dataset: 'whole', 'fetch-to': to })
    expect([run.findings, run.outputs['status']]).toEqual([[], 'verified'])
    expect(await run.filesLeft()).toEqual([])
    await checkPlain(to, 0)
  })

  it('that are shards are put together', async () => {
    await using sanity = await startSanity({ documents: threeDocuments, dataset: 'shards' })
    addMany(sanity, 6)
    const workflow = artifacts.newRun()
    for (const shard of ['1/2', '2/2']) {
      const inputs = { ...toBoth, dataset: 'shards', 'include-assets': 'true', shard }
      await using made = await backUp({ sanity, github, artifacts, run: workflow }, { inputs })
      expect(made.exitCode).toBe(0)
    }
    const to = join(ground, 'shards-plain')
    await using run = await verify({ dataset: 'shards', 'fetch-to': to })
    expect(run.findings).toEqual([])
    expect(run.outputs).toMatchObject({ status: 'verified', 'asset-count': '6' })
    expect((await checkPlain(to, 6)).snapshot).not.toContain('-shard-')
  })
})

it('an encrypted snapshot on a branch is opened, and left plain', async () => {
  await using world = await startWorld()
  const made = await world.night(threeDocuments, { inputs: { ...toBoth, 'branch-layout': 'compressed' } })
  expect(made.exitCode).toBe(0)
  const to = join(ground, 'branch-plain')
  const inputs = { ...source, branch: 'sanity-backups', identity: ann.identity, 'fetch-to': to }
  await using run = await verifyWith({ inputs, env: world.git.env })
  expect([run.findings, run.outputs['status']]).toEqual([[], 'verified'])
  expect(await run.filesLeft()).toEqual([])
  await checkPlain(to, 0)
})
