import { spawnSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { type FindNeeds, findSnapshot } from '../../src/commands/find-snapshot.ts'
import type { WantedSource } from '../../src/destinations/choose.ts'
import type { Manifest } from '../../src/format/manifest/manifest.ts'
import { printManifest } from '../../src/format/manifest/manifest.ts'
import type { SnapshotPlace } from '../../src/inputs/which-snapshot.ts'
import { parseRunner } from '../../src/runner.ts'
import { type Git, gitAnswers, startGit } from '../doubles/git/git.ts'
import { type Loopback, listen, send } from '../doubles/http.ts'
import { type Client, makeClient } from '../support/ask.ts'
import { exampleManifest } from '../support/example.ts'
import { rejection } from '../support/feed.ts'
import { makeZip } from '../support/make-zip.ts'
import { makeTempFolder } from '../support/process.ts'
import { stepTools } from './backup/tools.ts'

/** An artifact on GitHub. */
type Shelved = {
  readonly name?: string
  readonly manifest?: Partial<Manifest>
  readonly run?: number
  readonly fork?: true
  readonly expired?: true
}

const asked = { projectId: 'abc12345', dataset: 'production' }
const anything = { projectId: undefined, dataset: undefined }

let server: Loopback
let client: Client
let temp: Awaited<ReturnType<typeof makeTempFolder>>
/** The newest last: one a day. */
let shelf: readonly Shelved[]

beforeEach(async () => {
  shelf = []
  client = makeClient()
  temp = await makeTempFolder('find')
  server = await listen((request, response, url) => {
    const [, run] = /^\/repos\/acme\/site\/actions\/(?:runs\/(\d+)\/)?artifacts$/.exec(url.pathname) ?? []
    const id = Number(/\/(\d+)(\/zip)?$/.exec(url.pathname)?.[1])
    if (url.pathname.endsWith('/artifacts')) {
      const known = run === undefined || shelf.some((shelved) => String(runOf(shelved)) === run)
      return send(response, known ? { status: 200, body: listed(url.searchParams, run) } : { status: 404 })
    }
    if (url.pathname.endsWith('/zip')) return send(response, { status: 302, headers: { location: `${server.url}/storage/${id}` } })
    const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
    const zip = zipOf(id)
    const headers = { 'content-range': `bytes ${start}-${Math.min(Number(end), zip.length - 1)}/${zip.length}` }
    send(response, { status: 206, headers, body: zip.subarray(Number(start), Number(end) + 1) })
  })
})

afterEach(async () => {
  await client[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
  await temp[Symbol.asyncDispose]()
})

const runOf = ({ run = 42 }: Shelved) => run
const dayOf = (id: number) => `2026-11-${String(id).padStart(2, '0')}`

function manifestOf(id: number): Manifest {
  const { manifest, run } = shelf[id - 1] ?? {}
  const itsRun = { ...exampleManifest.run!, runId: String(run ?? 42) }
  return { ...exampleManifest, snapshot: `number-${id}`, takenAt: `${dayOf(id)}T08:15:00Z`, run: itsRun, ...manifest }
}

function zipOf(id: number): Buffer {
  return makeZip([{ name: 'manifest.json', content: printManifest(manifestOf(id)) }])
}

/** docs.github.com/rest/actions/artifacts */
function listed(query: URLSearchParams, run: string | undefined): object {
  const all = shelf.map(({ name = 'sanity-abc12345-production', fork, expired = false, run: itsRun = 42 }, index) => ({
    id: index + 1,
    name,
    size_in_bytes: zipOf(index + 1).length,
    expired,
    created_at: `${dayOf(index + 1)}T08:16:00Z`,
    expires_at: `2026-12-${String(index + 1).padStart(2, '0')}T08:16:00Z`,
    workflow_run: { id: itsRun, repository_id: 1, head_repository_id: fork ? 2 : 1 },
  }))
  const wanted = all.filter(({ name, workflow_run: { id } }) => (query.get('name') ?? name) === name && (run ?? String(id)) === String(id))
  return { total_count: wanted.length, artifacts: wanted.toReversed() }
}

type Asking = { readonly at?: string; readonly source?: WantedSource; readonly git?: Git }

async function find(place: SnapshotPlace, { at, source = asked, git }: Asking = {}) {
  const { tools, logged } = stepTools()
  const needs: FindNeeds = {
    runner: parseRunner({
      GITHUB_REPOSITORY: 'acme/site',
      GITHUB_API_URL: server.url,
      GITHUB_SERVER_URL: git?.url ?? 'https://github.com',
    }),
    tools: { ...tools, http: client.http, environment: { PATH: '/usr/bin:/bin' } },
    scratch: temp.path,
  }
  const which = { place, at: at === undefined ? undefined : new Date(at), identities: undefined, githubToken: 'ghs_unit' }
  using found = await findSnapshot(which, source, needs)
  return { names: found.parts.map(({ manifest }) => manifest.snapshot), found, logged }
}

const artifact = (change: { name?: string; runId?: string } = {}): SnapshotPlace => ({
  kind: 'artifact',
  name: undefined,
  runId: undefined,
  ...change,
})
const onBranch = (change: { commit?: string } = {}): SnapshotPlace => ({
  kind: 'branch',
  branch: 'sanity-backups',
  commit: undefined,
  repository: undefined,
  ...change,
})

describe('a snapshot among artifacts', () => {
  it('is the newest of the dataset’s own name, and the log says which, how old it is and where it lies', async () => {
    shelf = [{}, {}, { name: 'sanity-abc12345-production-pre-deploy' }, { name: 'logs' }]
    const { names, logged } = await find(artifact())
    expect(names).toEqual(['number-2'])
    expect(logged).toEqual([
      'info: The snapshot is number-2, taken 20 days ago (2026-11-02T08:15:00Z), in the artifact "sanity-abc12345-production" (2) of acme/site.',
    ])
  })

  it.each([
    { name: 'of a repeated run', shelf: [{}, { name: 'sanity-abc12345-production-attempt-2' }], place: artifact(), is: 'number-2' },
    { name: 'of the name that was given', shelf: [{ name: 'nightly' }, {}], place: artifact({ name: 'nightly' }), is: 'number-1' },
    { name: 'of the run that was given', shelf: [{ run: 41 }, {}], place: artifact({ runId: '41' }), is: 'number-1' },
    { name: 'not of a fork', shelf: [{}, { fork: true as const }], place: artifact(), is: 'number-1' },
    { name: 'not one that has expired', shelf: [{}, { expired: true as const }], place: artifact(), is: 'number-1' },
    { name: 'of the time that was given', shelf: [{}, {}, {}], place: artifact(), at: '2026-11-02T12:00:00Z', is: 'number-2' },
  ])('is the newest $name', async ({ shelf: there, place, at, is }) => {
    shelf = there
    expect((await find(place, at === undefined ? {} : { at })).names).toEqual([is])
  })

  it('is said to have newer ones beside it that do not count, and no word is lost on older ones', async () => {
    shelf = [{ expired: true }, {}, { fork: true }, { expired: true }]
    const { names, logged } = await find(artifact())
    expect(names).toEqual(['number-2'])
    expect(logged.filter((line) => line.includes('do not count'))).toEqual([
      'info: Newer artifacts that do not count: 1 of that name has expired, the newest at 2026-12-04T08:16:00Z.',
      'info: Newer artifacts that do not count: 1 of that name comes from a fork, where anybody may give any name.',
    ])
  })

  it('of a time comes with a word about those that cannot be read, and none about backups to come', async () => {
    shelf = [{}, { manifest: { takenAt: 'yesterday' } }]
    const { names, logged } = await find(artifact(), { at: '2026-11-20T12:00:00Z' })
    expect(names).toEqual(['number-1'])
    const warned = logged.filter((line) => line.startsWith('warning: Passed over: '))
    expect(warned).toHaveLength(1)
    expect(warned.join()).not.toMatch(/next time/)
  })

  it('is a set of shards: those of one workflow run', async () => {
    const shard = (index: number, run: number, attempt = ''): Shelved => ({
      name: `sanity-abc12345-production-shard-${index}-of-2${attempt}`,
      run,
      manifest: { shard: { index, of: 2 } },
    })
    shelf = [shard(1, 41), shard(2, 41), {}, shard(2, 50), shard(1, 50), shard(2, 50, '-attempt-2')]
    const { names, found, logged } = await find(artifact())
    expect(names).toEqual(['number-5', 'number-6'])
    expect(found.shards).toBe(2)
    expect(logged[0]).toContain('2 of its 2 shards')
  })

  it('is a set of shards of which one has expired, which is said', async () => {
    const shard = (index: number, expired: { expired?: true } = {}): Shelved => ({
      name: `sanity-abc12345-production-shard-${index}-of-2`,
      manifest: { shard: { index, of: 2 } },
      ...expired,
    })
    shelf = [shard(2, { expired: true }), shard(1)]
    const { found, logged } = await find(artifact())
    expect(found.parts).toHaveLength(1)
    expect(logged.join('\n')).toContain('warning: Shards of the snapshot are missing: 1 of that name has expired')
  })

  it.each([
    { name: 'has expired', shelf: [{ expired: true as const }], says: '1 of that name has expired, the newest at 2026-12-01T08:16:00Z' },
    { name: 'comes from a fork', shelf: [{ fork: true as const }], says: '1 of that name comes from a fork' },
    {
      name: 'has another name',
      shelf: [{ name: 'logs' }],
      says: 'No artifact with the name "sanity-abc12345-production" holds a snapshot.',
    },
  ])('is missed where all there is $name, and that is said', async ({ shelf: there, says }) => {
    shelf = there
    expect(await rejection(find(artifact()))).toMatchObject({ code: 'snapshot-missing', message: expect.stringContaining(says) })
  })

  it('is missed in a workflow run that is not there', async () => {
    expect(await rejection(find(artifact({ runId: '9' })))).toMatchObject({
      code: 'snapshot-missing',
      title: 'There is no such workflow run',
    })
  })

  it('needs a project and a dataset where no name is given', async () => {
    expect(await rejection(find(artifact(), { source: anything }))).toMatchObject({ code: 'input-invalid' })
    shelf = [{ name: 'nightly' }]
    expect((await find(artifact({ name: 'nightly' }), { source: anything })).names).toEqual(['number-1'])
  })
})

describe('a snapshot in a folder', () => {
  async function put(name: string, change: Partial<Manifest> | string): Promise<void> {
    await mkdir(join(temp.path, name))
    const bytes = typeof change === 'string' ? change : printManifest({ ...exampleManifest, snapshot: name, ...change })
    await writeFile(join(temp.path, name, 'manifest.json'), bytes)
  }

  it('is the newest by the time when it was taken, whatever the folders are called', async () => {
    await put('zzz', { takenAt: '2026-11-01T00:00:00Z' })
    await put('downloaded', { takenAt: '2026-11-03T00:00:00Z' })
    await put('newer.partial', { takenAt: '2026-11-04T00:00:00Z' })
    expect((await find({ kind: 'directory', path: temp.path }, { source: anything })).names).toEqual(['downloaded'])
    expect((await find({ kind: 'directory', path: join(temp.path, 'zzz') })).names).toEqual(['zzz'])
  })

  it('is not hidden by a broken one of another dataset, but by a broken one of its own', async () => {
    await put('abc12345-production-20261101T000000Z', {})
    await put('abc12345-staging-20261130T000000Z', '{')
    const place: SnapshotPlace = { kind: 'directory', path: temp.path }
    expect((await find(place)).names).toEqual(['abc12345-production-20261101T000000Z'])
    await put('abc12345-production-20261130T000000Z', '{')
    expect(await rejection(find(place))).toMatchObject({ code: 'snapshot-invalid', title: 'The newest snapshot cannot be read' })
  })

  it('is not taken at its word where that is a time still to come', async () => {
    await put('abc12345-production-20261101T000000Z', { takenAt: '2026-11-01T00:00:00Z' })
    await put('abc12345-production-20990101T000000Z', { takenAt: '2099-01-01T00:00:00Z' })
    const place: SnapshotPlace = { kind: 'directory', path: temp.path }
    expect(await rejection(find(place))).toMatchObject({
      code: 'snapshot-invalid',
      title: 'The snapshot is from a time that is still to come',
      message: expect.stringContaining('says that it was taken at 2099-01-01T00:00:00Z'),
    })
    expect((await find(place, { at: '2026-11-22T00:00:00Z' })).names).toEqual(['abc12345-production-20261101T000000Z'])
  })

  it('is missed where there is no such folder', async () => {
    const place: SnapshotPlace = { kind: 'directory', path: join(temp.path, 'nowhere') }
    expect(await rejection(find(place))).toMatchObject({ code: 'snapshot-missing', title: 'There is no such folder' })
  })
})

describe('a snapshot on a branch', () => {
  const put = (git: Git, day: number, dataset = 'production'): string => {
    const source = { ...exampleManifest.source, dataset }
    const manifest = { ...exampleManifest, source, snapshot: `day-${day}`, takenAt: `${dayOf(day)}T08:15:00Z` }
    return git.commit('sanity-backups', { [`abc12345/${dataset}/manifest.json`]: printManifest(manifest).toString() }).trim()
  }

  it('is the one at the tip, that of a time, or that of a commit', async () => {
    await using git = await startGit()
    const first = put(git, 1)
    put(git, 2)
    put(git, 3)
    expect(await find(onBranch(), { git, source: anything })).toMatchObject({ names: ['day-3'] })
    expect(await find(onBranch(), { git, at: '2026-11-02T23:59:59Z' })).toMatchObject({ names: ['day-2'] })
    expect(await find(onBranch({ commit: first }), { git })).toMatchObject({ names: ['day-1'] })
    expect(await rejection(find(onBranch(), { git, at: '2026-10-01T00:00:00Z' }))).toMatchObject({
      code: 'snapshot-missing',
      message: expect.stringContaining('the oldest that was seen is of 2026-11-01T08:15:00Z'),
    })
  })

  it('is never a guess between datasets', async () => {
    await using git = await startGit()
    put(git, 1)
    put(git, 2, 'staging')
    expect(await rejection(find(onBranch(), { git, source: anything }))).toMatchObject({ code: 'input-invalid' })
    expect(await find(onBranch(), { git })).toMatchObject({ names: ['day-1'] })
    expect(await rejection(find(onBranch(), { git, source: { ...asked, dataset: 'de' } }))).toMatchObject({ code: 'snapshot-missing' })
  })

  const at = 'abc12345/production/manifest.json'
  const broken = [
    { name: 'has lost its manifest', change: `D ${at}`, says: 'Its folder holds files, and no manifest.json.' },
    {
      name: 'has a link for its manifest',
      change: `M 120000 inline ${at}\ndata 1\nx\n`,
      says: 'Its manifest.json is not an ordinary file.',
    },
    {
      name: 'is of another dataset than its folder',
      change: `M 100644 inline ${at}\ndata <<END\n${JSON.stringify({ ...exampleManifest, source: { ...exampleManifest.source, dataset: 'staging' } })}\nEND\n`,
      says: 'says that it is of "abc12345/staging"',
    },
  ]

  const breakTip = async (git: Git, change: string) => {
    put(git, 1)
    git.commit('sanity-backups', { 'abc12345/production/documents/post/0a/a.json': '{}' })
    const head = `commit refs/heads/sanity-backups\ncommitter A <a@acme.example> 1700000000 +0000\ndata 1\nx\nfrom refs/heads/sanity-backups^0\n`
    const { status } = spawnSync('git', ['fast-import', '--quiet', '--force'], { cwd: git.folder, input: `${head}${change}\n` })
    expect(status).toBe(0)
  }

  it.each(broken)('is not replaced by an older one where the newest $name', async ({ change, says }) => {
    await using git = await startGit()
    await breakTip(git, change)
    for (const source of [asked, anything])
      expect(await rejection(find(onBranch(), { git, source }))).toMatchObject({
        code: 'snapshot-invalid',
        title: 'The newest snapshot cannot be read',
        message: expect.stringContaining(says),
      })
  })

  it.each(broken)('is the older one that was asked for where the newest $name, and that is said', async ({ change, says }) => {
    await using git = await startGit()
    await breakTip(git, change)
    const { names, logged } = await find(onBranch(), { git, at: '2026-11-23T00:00:00Z' })
    expect(names).toEqual(['day-1'])
    expect(logged[0]).toMatch(/^warning: Passed over: /)
    expect(logged[0]).toContain(says)
  })

  it('is missed where there is no such branch, and a server that does not answer is told from that', async () => {
    await using git = await startGit()
    expect(await rejection(find(onBranch(), { git }))).toMatchObject({
      code: 'snapshot-missing',
      message: expect.stringContaining('There is no branch "sanity-backups" yet'),
    })
    git.fault('git-upload-pack', { answer: gitAnswers.unavailable })
    expect(await rejection(find(onBranch(), { git }))).toMatchObject({ code: 'branch-rejected' })
  })
})
