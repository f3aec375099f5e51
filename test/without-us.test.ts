import { execFile } from 'node:child_process'
import { chmod, cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { png } from './action/backup/assets/support.ts'
import { type BackupRun, backUp } from './action/support.ts'
import { makeKeys } from './codec/age-files.ts'
import { type Artifacts, startArtifacts } from './doubles/artifacts/artifacts.ts'
import { startGit } from './doubles/git/git.ts'
import { startGithubRest } from './doubles/github/github.ts'
import { type Sanity, startSanity } from './doubles/sanity/sanity.ts'
import { missingHere } from './support/needs.ts'
import { onMachinesWith } from './support/on-machines-with.ts'
import { makeTempFolder, ROOT } from './support/process.ts'
import { readZip } from './support/zip.ts'

const run = promisify(execFile)

const times = { _rev: 'first', _createdAt: '2026-01-01T00:00:00Z', _updatedAt: '2026-01-01T00:00:00Z' }
const documents = [
  { _id: 'author', _type: 'author', ...times, name: 'Zoë \u2028 🏔' },
  { _id: 'post', _type: 'post', ...times, title: 'One', author: { _type: 'reference', _ref: 'author' } },
  { _id: 'drafts.post', _type: 'post', ...times, title: 'Two', author: { _type: 'reference', _ref: 'author' } },
]

/** A kind of snapshot. What its own job summary says to type is typed, with the real importer behind `npx sanity`. */
type Kind = {
  readonly name: string
  readonly inputs: Readonly<Record<string, string>>
  readonly place: 'artifact' | 'branch' | 'directory'
  /** Also encrypted to a key, which lies in `key.txt`. */
  readonly sealed?: true
}
const kinds: readonly Kind[] = [
  { name: 'an artifact', place: 'artifact', inputs: {} },
  { name: 'a folder', place: 'directory', inputs: {} },
  { name: 'the first shard of two', place: 'artifact', inputs: { 'include-assets': 'true', shard: '1/2' } },
  { name: 'a branch in the layout text', place: 'branch', inputs: {} },
  { name: 'a branch in the layout compressed', place: 'branch', inputs: { 'branch-layout': 'compressed' } },
]
const zstdKinds: readonly Kind[] = [{ name: 'an artifact with zstd', place: 'artifact', inputs: { compression: 'zstd' } }]
const sealedKinds: readonly Kind[] = [
  { name: 'an encrypted artifact', place: 'artifact', sealed: true, inputs: {} },
  { name: 'an encrypted folder', place: 'directory', sealed: true, inputs: {} },
  { name: 'an encrypted branch', place: 'branch', sealed: true, inputs: { 'branch-layout': 'compressed' } },
]
const bothKinds: readonly Kind[] = [
  { name: 'an encrypted artifact with zstd', place: 'artifact', sealed: true, inputs: { compression: 'zstd' } },
]

describe('the lines of the Sanity CLI in a job summary bring everything back from', () => {
  it.each(kinds)('$name', bringsBack)
  onMachinesWith('zstd').each(zstdKinds)('$name', bringsBack)
  onMachinesWith('age').each(sealedKinds)('$name', bringsBack)
  onMachinesWith(missingHere().has('age') ? 'age' : 'zstd').each(bothKinds)('$name', bringsBack)
})

async function bringsBack({ inputs, place, sealed }: Kind): Promise<void> {
  await using sanity = await startSanity({ documents })
  await using artifacts = await startArtifacts()
  await using github = await startGithubRest({ artifacts })
  await using git = await startGit()
  const keys = await makeKeys('x25519')
  if (inputs['include-assets'] === 'true') sanity.addAsset({ kind: 'images', bytes: png(7, 2000), filename: 'photo.png' })
  const services = { artifact: { run: artifacts.newRun() }, branch: { git }, directory: {} }[place]
  await using made = await backUp(
    { sanity, github, ...services },
    { inputs: { ...inputs, ...(sealed ? { 'encrypt-to': keys.recipient } : {}) } },
  )
  expect(made.code).toBeUndefined()
  const before = contentOf(sanity)
  await sanity.edit([{ patch: { id: 'post', set: { title: 'Spoiled' } } }, { delete: { id: 'drafts.post' } }])

  await using temp = await makeTempFolder('without-us')
  if (sealed) await writeFile(join(temp.path, 'key.txt'), `${keys.identity}\n`)
  if (place === 'directory') await cp(made.path, temp.path, { recursive: true })
  await type(linesIn(made), { folder: temp.path, sanity, artifacts })
  expect(contentOf(sanity)).toEqual(before)
}

function linesIn({ summary }: BackupRun): string {
  const lines = /```sh\n([\s\S]*?)```/.exec(summary)?.[1] ?? ''
  expect(lines).toContain('npx sanity@latest dataset import')
  return lines
}

/** Documents without what an import changes. */
function contentOf(sanity: Sanity): object[] {
  const content = sanity
    .store()
    .documents()
    .map(({ _rev: _, _updatedAt: __, ...document }) => document)
  return content.toSorted((a, b) => (a._id < b._id ? -1 : 1))
}

type Desk = { readonly folder: string; readonly sanity: Sanity; readonly artifacts: Artifacts }

/** Types lines of shell. `gh run download` unpacks the artifact, and `npx sanity dataset import` is the real importer. */
async function type(lines: string, { folder, sanity, artifacts }: Desk): Promise<void> {
  const bin = join(folder, 'bin')
  await mkdir(bin)
  for (const artifact of artifacts.list()) {
    for (const entry of readZip(await artifacts.fetchBytes(artifact.id))) {
      const path = join(folder, 'artifacts', artifact.name, entry.name)
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, entry.read())
    }
  }
  const { url, project, dataset, editorToken: token } = sanity
  const programs = {
    // gh run download <run> --repo <repo> --name <name> --dir <folder>
    gh: `mkdir -p "$9" && cp -R "${folder}/artifacts/$7/." "$9"`,
    // npx sanity@latest dataset import <file> --project-id <id> --dataset <name> --replace
    npx: `[ "$*" = "sanity@latest dataset import $4 --project-id ${project} --dataset ${dataset} --replace" ] || exit 9
exec "${process.execPath}" "${ROOT}test/peers/import.mjs" '${JSON.stringify({ url, project, dataset, token, operation: 'createOrReplace' }).slice(0, -1)},"source":"'"$PWD/$4"'"}'`,
    node: `exec "${process.execPath}" "$@"`,
    // Somebody who may read the repository.
    askpass: 'echo ghs_doubleTokenOfTheWorkflow0123456789',
  }
  for (const [name, script] of Object.entries(programs)) {
    await writeFile(join(bin, name), `#!/bin/bash\n${script}\n`)
    await chmod(join(bin, name), 0o755)
  }
  const env = { PATH: `${bin}:/usr/bin:/bin`, HOME: folder, GIT_ASKPASS: join(bin, 'askpass') }
  await run('bash', ['-e', '-o', 'pipefail', '-c', lines], { cwd: folder, env })
}

describe('the recipe that puts shards together', () => {
  it('leaves one folder with all documents and all files', async () => {
    await using sanity = await startSanity({ documents })
    await using artifacts = await startArtifacts()
    await using github = await startGithubRest({ artifacts })
    for (const seed of [1, 2, 3, 4, 5, 6]) sanity.addAsset({ kind: 'images', bytes: png(seed, 2000), filename: `${seed}.png` })
    const workflowRun = artifacts.newRun()
    for (const shard of ['1/4', '2/4', '3/4', '4/4']) {
      await using made = await backUp({ sanity, github, run: workflowRun }, { inputs: { 'include-assets': 'true', shard } })
      expect(made.code).toBeUndefined()
    }
    const recipes = await readFile(join(ROOT, 'docs/recipes.md'), 'utf8')
    const lines = /```sh\n(for shard in[\s\S]*?)```/.exec(recipes)?.[1] ?? ''
    await using temp = await makeTempFolder('without-us')
    await type(lines, { folder: temp.path, sanity, artifacts })
    const found = await run('sh', ['-c', 'ls assets/images | wc -l; gunzip -c data.ndjson.gz | wc -l'], {
      cwd: join(temp.path, 'snapshot'),
    })
    expect(found.stdout.trim().split(/\s+/)).toEqual(['6', String(documents.length + 6)])
  })
})
