import { spawnSync } from 'node:child_process'
import { expect, it } from '@jest/globals'
import { fetchPast } from '../../../src/git/history/past.ts'
import { makeRepository } from '../../../src/git/repository.ts'
import { startGit } from '../../doubles/git/git.ts'
import { makeTempFolder } from '../../support/process.ts'

it('fetches the versions of a file, the newest first and each once, and nothing beside it', async () => {
  await using git = await startGit()
  for (const version of ['one', 'two', 'two', 'three']) {
    git.commit('backups', { 'a/b/manifest.json': version, 'a/b/documents/post/00/x.json': version, 'a/c/manifest.json': version })
    git.commit('backups', { 'notes.txt': `beside ${version}` })
  }
  git.commit('backups', { 'a/b/manifest.json/inner': 'a folder of that name' })
  git.reset()
  const { versions, all, kinds } = await past(git.url, { path: 'a/b/manifest.json', commits: 100 })
  expect({ versions, all }).toEqual({ versions: ['three', 'two', 'one'], all: true })
  // Nine commits; the roots, `a` and `a/b`, as far as they differ; three manifests.
  expect(kinds).toEqual({ commit: 9, tree: 7 + 4 + 4, blob: 3 })
  expect(git.requests.filter(({ method }) => method === 'POST').length).toBe(6)
})

it('says of each version which commit was the last to hold it', async () => {
  await using git = await startGit()
  const first = git.commit('backups', { 'a/b/manifest.json': 'one' })
  git.commit('backups', { 'a/b/manifest.json': 'two' })
  const last = git.commit('backups', { 'notes.txt': 'beside two' })
  expect(first).toMatch(/^[0-9a-f]{40}/)
  expect(await past(git.url, { path: 'a/b/manifest.json', commits: 100 })).toMatchObject({ commits: [last.trim(), first.trim()] })
})

it('says that there are older commits, and leaves them', async () => {
  await using git = await startGit()
  for (const version of ['one', 'two', 'three']) git.commit('backups', { 'a/b/manifest.json': version })
  expect(await past(git.url, { path: 'a/b/manifest.json', commits: 2 })).toMatchObject({ versions: ['three', 'two'], all: false })
  expect(await past(git.url, { path: 'a/b/manifest.json', commits: 3 })).toMatchObject({ versions: ['three', 'two', 'one'], all: true })
})

it.each(['a/b/manifest.json', 'a/x/manifest.json', 'notes.txt/b/manifest.json', 'x/y/z'])(
  'finds nothing where %s is not there',
  async (path) => {
    await using git = await startGit()
    git.commit('backups', { 'a/b/data': 'x', 'notes.txt': 'x' })
    expect(await past(git.url, { path, commits: 100 })).toMatchObject({ versions: [], all: true })
  },
)

it('finds nothing where there is no such branch', async () => {
  await using git = await startGit()
  expect(await past(git.url, { path: 'a/b/c', commits: 100 })).toMatchObject({ versions: [], all: true })
})

async function past(serverUrl: string, { path, commits }: { path: string; commits: number }) {
  await using temp = await makeTempFolder('past')
  const remote = { serverUrl, name: 'acme/site', token: 'ghs_unit' }
  const tools = { environment: { PATH: '/usr/bin:/bin' }, temp: temp.path, signal: new AbortController().signal }
  const url = `${serverUrl}/acme/site`
  using repository = await makeRepository(url, remote, tools)
  const found = await fetchPast(repository, { url, branch: 'backups', path, commits })
  const read = await Array.fromAsync(found.versions)
  const versions = read.map(({ content }) => String(content))
  const objects = spawnSync('git', ['cat-file', '--batch-all-objects', '--batch-check=%(objecttype)'], {
    cwd: repository.folder,
    encoding: 'utf8',
  })
  const kinds: Record<string, number> = {}
  for (const kind of objects.stdout.trim().split('\n')) kinds[kind] = (kinds[kind] ?? 0) + 1
  return { versions, commits: read.map(({ commit }) => commit), all: found.all, kinds }
}
