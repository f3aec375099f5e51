import { spawnSync } from 'node:child_process'
import { hash } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { printManifest } from '../../../src/format/manifest/manifest.ts'
import { checkSnapshot } from '../../../src/snapshot/check/check.ts'
import { joinCommand, joinProgram } from '../../../src/snapshot/read/join.ts'
import { branch, folder, type Scene, someTexts, startScene } from './scene.ts'

const attributesAt = ({ git }: Scene, commit = branch): string | undefined => git.files(commit)[`${folder}/.gitattributes`]

/** Makes the branch as a version left it that did not know the file. */
function withoutAttributes(scene: Scene): void {
  const { folder: cwd } = scene.git
  const input = `commit refs/heads/${branch}\ncommitter A <a@acme.example> 1700000000 +0000\ndata 1\nx\nfrom refs/heads/${branch}^0\nD ${folder}/.gitattributes\n`
  spawnSync('git', ['fast-import', '--quiet', '--force'], { cwd, input })
  expect(attributesAt(scene)).toBeUndefined()
}

describe('the file beside the manifest that keeps line ends', () => {
  it.each([
    { name: 'is not there yet', damage: withoutAttributes },
    { name: 'says something else', damage: ({ git }: Scene) => void git.commit(branch, { [`${folder}/.gitattributes`]: '* text=auto\n' }) },
  ])('comes with the next commit, and not for its own sake, where it $name', async ({ damage }) => {
    await using scene = await startScene()
    const first = await scene.store(await scene.snapshot(1))
    expect(attributesAt(scene)).toBe('* -text\n')
    damage(scene)
    const before = attributesAt(scene)
    const unchanged = await scene.store(await scene.snapshot(2))
    expect([unchanged.unchanged, unchanged.manifest.snapshot, attributesAt(scene)]).toEqual([true, first.manifest.snapshot, before])
    await scene.store(await scene.snapshot(3, { texts: someTexts(3) }))
    expect(attributesAt(scene)).toBe('* -text\n')
    expect((await scene.store(await scene.snapshot(4, { label: 'x' }))).unchanged).toBe(false)
  })

  it('is known to whoever checks a snapshot that comes from a branch', async () => {
    await using scene = await startScene()
    const { manifest } = await scene.store(await scene.snapshot(1), { layout: 'compressed' })
    const there = unpack(scene, [])
    const findings = await checkSnapshot(there, {
      level: 'data',
      manifestBytes: printManifest(manifest),
      signal: new AbortController().signal,
    })
    expect(findings).toEqual([])
  })
})

describe('the documents of a snapshot on a branch', () => {
  const texts = Array.from({ length: 44 }, (_, index) => `document ${index}`)
  const lines = texts.map((text, index) => `{"_id":"id-${index}","_type":"post","text":"${text}"}`).toSorted()
  const bending = ['-c', 'core.autocrlf=true']

  it.each([
    { name: 'a program in a file', command: ['-e', joinProgram] },
    { name: 'a line for the shell', command: ['-e', joinCommand.slice("node -e '".length, -1)] },
  ])('come back byte for byte although git is set to change line ends: $name', async ({ command }) => {
    await using scene = await startScene()
    await scene.store(await scene.snapshot(1, { texts }))
    unpack(scene, bending)
    const { status, stdout, stderr } = joined(scene, command)
    expect({ status, stderr, lines: stdout.trimEnd().split('\n').toSorted() }).toEqual({ status: 0, stderr: '', lines })
  })

  const damages: readonly { readonly name: string; readonly bend: (snapshot: string) => Promise<void>; readonly files: number }[] = [
    { name: 'other line ends', files: 44, bend: async (at) => await changeAll(at, (text) => text.replaceAll('\n', '\r\n')) },
    { name: 'no line feed at the end', files: 44, bend: async (at) => await changeAll(at, (text) => text.trimEnd()) },
    { name: 'a mark in front', files: 44, bend: async (at) => await changeAll(at, (text) => `\ufeff${text}`) },
    {
      name: 'a document less',
      files: 43,
      bend: async (at) => {
        const [first = ''] = await documentsIn(at)
        await rename(first, `${at}/elsewhere.json`)
      },
    },
  ]

  it.each(damages)('are refused by the program that joins them, and none is printed: $name', async ({ bend, files }) => {
    await using scene = await startScene()
    await scene.store(await scene.snapshot(1, { texts }))
    await bend(unpack(scene, []))
    const { status, stdout, stderr } = joined(scene, ['-e', joinProgram])
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toContain(`Nothing was joined: ${files} files, which are not the 44 documents of the manifest.`)
  })

  it('are refused where an old restore point came through a git that changes line ends', async () => {
    await using scene = await startScene()
    await scene.store(await scene.snapshot(1, { texts }))
    withoutAttributes(scene)
    unpack(scene, bending)
    expect(joined(scene, ['-e', joinProgram])).toMatchObject({ status: 1, stdout: '' })
  })
})

/** As the recipe does it; gives the folder of the snapshot. */
function unpack({ git, temp }: Scene, settings: readonly string[]): string {
  const at = join(temp, 'snapshot')
  const { stdout } = spawnSync('git', [...settings, 'archive', `${branch}:${folder}`], { cwd: git.folder, maxBuffer: 1e9 })
  spawnSync('mkdir', [at])
  spawnSync('tar', ['-x', '-C', at], { input: stdout })
  return at
}

function joined({ temp }: Scene, command: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: temp, encoding: 'utf8' })
  return { status, stdout, stderr }
}

async function documentsIn(snapshot: string): Promise<string[]> {
  const { stdout } = spawnSync('find', [`${snapshot}/documents`, '-type', 'f'], { encoding: 'utf8' })
  return stdout.trim().split('\n')
}

async function changeAll(snapshot: string, change: (text: string) => string): Promise<void> {
  for (const file of await documentsIn(snapshot)) await writeFile(file, change(await readFile(file, 'utf8')))
}

it('of a manifest that lists thousands of assets pushes only what is another', async () => {
  await using scene = await startScene()
  const withAssets = async (hour: number, missing: number) => {
    const snapshot = await scene.snapshot(hour, { texts: someTexts(1) })
    const list = Array.from({ length: 12_000 }, (_, index) => ({
      id: `image-${createId(index)}-1x1-png`,
      url: `https://cdn.sanity.io/images/abc12345/production/${createId(index)}-1x1.png`,
      status: index === missing ? 500 : 404,
    }))
    const manifest = { ...snapshot.manifest, assets: { ...snapshot.manifest.assets, missing: list } }
    return { ...snapshot, manifest, manifestBytes: printManifest(manifest) }
  }
  await scene.store(await withAssets(1, 5))
  expect(printManifest(scene.manifestAt(branch)).length).toBeGreaterThan(1.5 * 1024 * 1024)
  scene.git.reset()
  await scene.store(await withAssets(2, 6))
  const pushed = scene.git.requests.filter(({ service, method }) => service === 'git-receive-pack' && method === 'POST')
  expect(pushed.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0)).toBeLessThan(20_000)
}, 300_000)

/** Forty digits that have nothing in common with those of another number. */
function createId(index: number): string {
  return hash('sha1', String(index), 'hex')
}
