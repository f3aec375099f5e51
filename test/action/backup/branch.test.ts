import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Manifest } from '../../../src/format/manifest.ts'
import { type Git, startGit } from '../../doubles/git/git.ts'
import { type GithubRest, startGithubRest } from '../../doubles/github/github.ts'
import type { SanityDocument } from '../../doubles/sanity/data/store.ts'
import { type Sanity, startSanity } from '../../doubles/sanity/sanity.ts'
import { findToken } from '../../support/leaks.ts'
import { type BackupOptions, type BackupRun, backUp, failureOf, sha256, sumSha256, threeDocuments, threeLines } from '../support.ts'

let github: GithubRest

beforeAll(async () => {
  github = await startGithubRest()
})

afterAll(async () => await github[Symbol.asyncDispose]())

const folder = 'abc12345/production'
const branch = 'sanity-backups'

type World = AsyncDisposable & {
  readonly git: Git
  readonly night: (documents: readonly SanityDocument[], options?: BackupOptions) => Promise<BackupRun>
}

/** A repository, and nights on which a dataset is backed up into it. */
async function startWorld(options: Parameters<typeof startGit>[0] = {}): Promise<World> {
  const git = await startGit(options)
  return {
    git,
    night: async (documents, { inputs, ...rest } = {}) => {
      const dataset = inputs?.['dataset'] ?? 'production'
      await using sanity: Sanity = await startSanity({ documents, dataset })
      const run = await backUp({ sanity, github, git }, { ...rest, inputs: { ...inputs } })
      await run[Symbol.asyncDispose]()
      return run
    },
    [Symbol.asyncDispose]: async () => await git[Symbol.asyncDispose](),
  }
}

const commits = (git: Git): string[] => git.run('rev-list', branch).split('\n')
const message = (git: Git): string => git.run('log', '-1', '--format=%B', branch)
const manifestOn = (git: Git): Manifest => JSON.parse(git.files(branch)[`${folder}/manifest.json`] ?? '') as Manifest
const changedIn = (git: Git, commit: string): string[] => git.run('show', '--format=', '--name-status', '--no-renames', commit).split('\n')

describe('the first night', () => {
  it('makes an orphan branch with a file for each document, a manifest and a README', async () => {
    await using world = await startWorld()
    const { git } = world
    const main = git.run('rev-parse', 'main')
    const run = await world.night(threeDocuments)

    const files = git.files(branch)
    expect(Object.keys(files)).toEqual([
      'README.md',
      `${folder}/.gitattributes`,
      `${folder}/documents/author/2e/c.json`,
      `${folder}/documents/post/3e/b.json`,
      `${folder}/documents/post/ca/a.json`,
      `${folder}/manifest.json`,
    ])
    expect(files[`${folder}/documents/author/2e/c.json`]).toBe('{\n  "_id": "c",\n  "_type": "author",\n  "name": "Third"\n}\n')
    expect(manifestOn(git)).toMatchObject({
      branch: { layout: 'text', depth: 1 },
      files: [],
      documents: { count: 3, contentDigest: sumSha256(threeLines) },
    })
    expect(Object.keys(manifestOn(git)).slice(-3)).toEqual(['encryption', 'branch', 'files'])
    expect(run.exitCode).toBe(0)
    expect(run.outputs).toMatchObject({
      status: 'stored',
      branch,
      'commit-sha': git.run('rev-parse', branch),
      snapshot: manifestOn(git).snapshot,
      digest: '',
      path: '',
      manifest: '',
      'document-count': '3',
    })
    expect(Number(run.outputs['size-bytes'])).toBe(
      Object.entries(files).reduce((sum, [path, text]) => sum + (path === 'README.md' ? 0 : Buffer.byteLength(text)), 0),
    )
    expect(commits(git)).toHaveLength(1)
    expect(git.run('log', '-1', '--format=%an <%ae>, %cn <%ce>, %P', branch)).toBe(
      'github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com>, github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com>,',
    )
    expect(message(git)).toBe(
      [
        'Back up abc12345/production: 3 documents',
        '',
        'Documents: 3 created',
        '- author: 1 created',
        '- post: 2 created',
        '',
        `Snapshot: ${manifestOn(git).snapshot}`,
        `Taken at: ${manifestOn(git).takenAt}`,
        `Read back whole: ${folder}`,
      ].join('\n'),
    )
    expect(git.run('rev-parse', 'main')).toBe(main)
    expect(run.summary).toMatch(/Stored as \| branch sanity-backups of acme\/site, commit [0-9a-f]{10}/)
    git.run('fsck', '--strict')
  })

  it('keeps each document byte for byte, whatever its names and its white space', async () => {
    await using git = await startGit()
    const lines = [
      '{"_id":"drafts.a","_type":"post","n":12345678901234567890,"a":1,"a":2,"e":"\\u00e9\\/"}',
      '{ "_id":"spaced","_type":"post" }',
      '{"_id":"a/b c","_type":".git","x":[]}',
      '{"_id":"..","_type":"a%2Fb"}',
    ]
    await using sanity = await startSanity({ lines })
    await using run = await backUp({ sanity, github, git })
    const texts = Object.entries(git.files(branch)).filter(([path]) => path.includes('/documents/'))
    expect({ code: run.code, lines: texts.map(([, text]) => text) }).toEqual({
      code: undefined,
      lines: expect.arrayContaining(['{ "_id":"spaced","_type":"post" }\n', '{\n  "_id": "..",\n  "_type": "a%2Fb"\n}\n']),
    })
    expect(texts.map(([path]) => path.replace(/\/[0-9a-f]{2}\//, '/hh/'))).toEqual(
      [
        `${folder}/documents/%2Egit/hh/a%2Fb%20c.json`,
        `${folder}/documents/a%252Fb/hh/%2E..json`,
        `${folder}/documents/post/hh/spaced.json`,
        `${folder}/documents/post/hh/drafts.a.json`,
      ].toSorted(
        (a, b) => texts.findIndex(([path]) => path.endsWith(a.slice(-9))) - texts.findIndex(([path]) => path.endsWith(b.slice(-9))),
      ),
    )
  })
})

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

  it.each([
    { days: 6.9, status: 'unchanged', layout: 'text' },
    { days: 7.1, status: 'stored', layout: 'text' },
    { days: 7.1, status: 'stored', layout: 'compressed' },
  ])('$status: the manifest of the layout $layout is $days days old', async ({ days, status, layout }) => {
    await using world = await startWorld()
    const inputs = { 'branch-layout': layout }
    await world.night(threeDocuments, { inputs })
    const takenAt = new Date(Date.now() - days * 86_400_000).toISOString()
    const old = `${JSON.stringify({ ...manifestOn(world.git), takenAt }, null, 2)}\n`
    world.git.commit(branch, { [`${folder}/manifest.json`]: old })
    const run = await world.night(threeDocuments.toReversed(), { inputs })
    expect(run.outputs['status']).toBe(status)
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
    expect(run.summary).toMatch(
      /\*\*Since abc12345-production-\d{8}T\d{6}Z:\*\* as many as before\n\n- page: 1 created\n- post: 1 changed, 1 deleted/,
    )
    expect(commits(world.git)).toHaveLength(2)
  })

  it('fetches no old content before it pushes, and pushes little', async () => {
    await using world = await startWorld()
    const many = Array.from({ length: 500 }, (_, index) => ({ _id: `id-${index}`, _type: 'post', text: String(Math.random()).repeat(50) }))
    await world.night(many)
    world.git.reset()
    await world.night(many.with(0, { ...many[0]!, text: 'changed' }))
    const pushed = world.git.requests.findLastIndex(({ service, method }) => service === 'git-receive-pack' && method === 'POST')
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
    expect(message(world.git)).toContain('- ?skip ci? ?1 ?ada??Co-authored-by? x ?x?x?: 1 created')
  })
})

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

it('says why a push is refused, in GitHub’s words, and stores elsewhere all the same', async () => {
  await using world = await startWorld()
  await world.git.refuse('protected')
  const run = await world.night(threeDocuments, { inputs: { destination: 'branch, directory' } })
  expect(failureOf(run)).toMatchObject({
    exitCode: 1,
    code: 'branch-rejected',
    title: 'The branch is protected',
    message: expect.stringMatching(
      /GH006.*At least 1 approving review.*is stored, and was read back, as directory\..*Hint: .*Settings, Branches/s,
    ),
  })
  expect(run.outputs).toMatchObject({ status: 'stored', branch: '', 'commit-sha': '' })
  expect(world.git.run('for-each-ref', '--format=%(refname)')).toBe('refs/heads/main')
})

it('refuses a document of over 100 MB before anything is stored anywhere', async () => {
  await using world = await startWorld()
  const run = await world.night([{ _id: 'big', _type: 'post', text: 'x'.repeat(105 * 1024 * 1024) }], {
    inputs: { destination: 'branch, directory' },
  })
  expect(failureOf(run)).toMatchObject({
    code: 'branch-too-large',
    message: expect.stringMatching(/documents\/post\/[0-9a-f]{2}\/big\.json.*110\.1 MB.*Hint: .*exclude-ids/s),
  })
  expect(world.git.requests.filter(({ service }) => service === 'git-receive-pack')).toEqual([])
})

describe('the branch of another repository', () => {
  it('is asked for by name, and its own visibility counts', async () => {
    await using git = await startGit({ repository: 'acme/backups' })
    await using rest = await startGithubRest({ repository: 'acme/backups' })
    await using sanity = await startSanity({ documents: threeDocuments })
    const env = { GITHUB_REPOSITORY: 'acme/site' }
    await using run = await backUp({ sanity, github: rest, git }, { env, inputs: { repository: 'acme/backups', branch: 'nightly/sanity' } })
    expect(run.exitCode).toBe(0)
    expect(git.run('rev-parse', 'nightly/sanity')).toBe(run.outputs['commit-sha'])
    expect(rest.requests.map(({ path }) => path)).toEqual(['/repos/acme/backups'])
  })

  it('is refused when it is public', async () => {
    await using git = await startGit({ repository: 'acme/backups' })
    await using rest = await startGithubRest({ repository: 'acme/backups', visibility: 'public' })
    await using sanity = await startSanity({ documents: threeDocuments })
    await using run = await backUp({ sanity, github: rest, git }, { inputs: { repository: 'acme/backups' } })
    expect(run.code).toBe('public-repository')
    expect([git.requests, sanity.requests]).toEqual([[], []])
  })
})

describe('another run that is faster', () => {
  it('does not lose its snapshot: both are in the history', async () => {
    await using world = await startWorld()
    let raced = false
    world.git.fault('git-receive-pack', {
      before: async () => {
        if (raced) return
        raced = true
        world.git.commit(branch, { 'abc12345/staging/manifest.json': '{}' })
      },
    })
    const run = await world.night(threeDocuments)
    expect(run.exitCode).toBe(0)
    expect(world.git.paths(branch)).toEqual(expect.arrayContaining([`${folder}/manifest.json`, 'abc12345/staging/manifest.json']))
    expect(commits(world.git)).toHaveLength(2)
    expect(run.log).toMatch(/Another run has moved the branch/)
  })

  it('ends as a conflict after five races in a row, with nothing pushed', async () => {
    await using world = await startWorld()
    let races = 0
    world.git.fault('git-receive-pack', { before: async () => void world.git.commit(branch, { [`other/${++races}`]: 'x' }) })
    const run = await world.night(threeDocuments)
    expect(failureOf(run)).toMatchObject({
      code: 'branch-conflict',
      message: expect.stringMatching(/5 times in a row.*Hint: .*concurrency/s),
    })
    expect(world.git.paths(branch).filter((path) => path.startsWith('abc'))).toEqual([])
    expect(races).toBe(5)
  })

  it('is told apart from an answer that was lost on the way', async () => {
    await using world = await startWorld()
    world.git.fault('git-receive-pack', { exchange: true, loseAnswer: true, times: 1 })
    const run = await world.night(threeDocuments)
    expect(run.exitCode).toBe(0)
    expect(commits(world.git)).toEqual([run.outputs['commit-sha']])
  })

  it('may go on before the snapshot was read back', async () => {
    await using world = await startWorld()
    let pushed = ''
    world.git.fault('git-receive-pack', {
      exchange: true,
      after: async () => {
        pushed = world.git.run('rev-parse', branch)
        world.git.commit(branch, { [`${folder}/manifest.json`]: '{}' })
      },
    })
    const run = await world.night(threeDocuments)
    expect(run.exitCode).toBe(0)
    expect(run.outputs['commit-sha']).toBe(pushed)
  })
})

describe('a branch that does not come back as it was stored', () => {
  it('is put back where it was', async () => {
    await using world = await startWorld()
    await world.night(threeDocuments)
    const before = world.git.run('rev-parse', branch)
    world.git.fault('git-receive-pack', {
      exchange: true,
      times: 1,
      after: async () => await world.git.lose(`${branch}:${folder}/manifest.json`),
    })
    const run = await world.night(threeDocuments.slice(1))
    expect(failureOf(run)).toMatchObject({ exitCode: 1, message: expect.stringMatching(/The branch was put back where it was/) })
    expect(world.git.run('rev-parse', branch)).toBe(before)
  })

  it('is an error when the server lost the commit', async () => {
    await using world = await startWorld()
    await world.night(threeDocuments)
    const before = world.git.run('rev-parse', branch)
    world.git.fault('git-receive-pack', {
      exchange: true,
      times: 1,
      after: async () => void world.git.run('update-ref', `refs/heads/${branch}`, before),
    })
    // Taken in the same second, the two would have the same name, by which a commit is looked for.
    await sleep(1000)
    const run = await world.night(threeDocuments.slice(1))
    expect(failureOf(run)).toMatchObject({ code: 'verification-failed', message: expect.stringMatching(/the commit is not in the branch/) })
    expect(world.git.run('rev-parse', branch)).toBe(before)
  })
})

it('leaves nothing behind when it is cancelled during the push', async () => {
  await using world = await startWorld()
  let signal: (() => void) | undefined
  world.git.fault('git-receive-pack', { exchange: true, connection: 'hang', times: 1, before: async () => signal?.() })
  const run = await world.night(threeDocuments, {
    onStart: (running) => {
      signal = () => running.signal('SIGINT')
    },
  })
  expect(failureOf(run)).toMatchObject({ exitCode: 130, code: 'cancelled' })
  expect(world.git.run('for-each-ref', '--format=%(refname)')).toBe('refs/heads/main')
  expect(run.durationMs).toBeLessThan(10_000)
}, 30_000)

describe('the environment', () => {
  it('bends nothing of what git does, and sends one header only', async () => {
    await using world = await startWorld()
    const run = await world.night(threeDocuments, {
      env: {
        GIT_TRACE: '1',
        GIT_TRACE_CURL: '1',
        GIT_CURL_VERBOSE: '1',
        GIT_DIR: '/nowhere',
        GIT_WORK_TREE: '/nowhere',
        GIT_INDEX_FILE: '/nowhere',
        GIT_OBJECT_DIRECTORY: '/nowhere',
        GIT_CONFIG_COUNT: '1',
        GIT_CONFIG_KEY_0: 'http.extraheader',
        GIT_CONFIG_VALUE_0: 'Authorization: Basic b3RoZXI6b3RoZXI=',
        GIT_CONFIG_PARAMETERS: "'http.extraheader=Authorization: Basic b3RoZXI6b3RoZXI='",
      },
    })
    expect(run.exitCode).toBe(0)
    const sent = world.git.requests.map(({ authorization }) => authorization)
    expect(new Set(sent)).toEqual(
      new Set([`Basic ${Buffer.from('x-access-token:ghs_doubleTokenOfTheWorkflow0123456789').toString('base64')}`]),
    )
    expect(findToken(Buffer.from('x-access-token:ghs_doubleTokenOfTheWorkflow0123456789').toString('base64'), { seen: run.seen })).toEqual(
      [],
    )
  })
})
