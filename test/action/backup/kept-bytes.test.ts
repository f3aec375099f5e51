import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { inflateRawSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { type Sanity, startSanity } from '../../doubles/sanity/sanity.ts'
import { type BackupRun, backUp, failureOf, readSnapshot, type Snapshot, sha256, sumSha256, threeDocuments } from '../support.ts'

const run = promisify(execFile)

/** Lines that change when somebody parses them and prints them again, or cuts them at a character that is no line feed. */
const oddLines: readonly Buffer[] = [
  '{"_id":"big","_type":"odd","n":12345678901234567890123,"f":0.1000000000000000055511151231257827}',
  '{"_id":"huge","_type":"odd","n":1e400,"m":-1e400,"z":-0,"e":1E+2,"d":1.0,"t":1.50}',
  '{"_id":"twice","_type":"odd","a":1,"a":2,"_rev":"x","_rev":"y"}',
  '{"_id":"proto","_type":"odd","__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
  '{"_id":"lone","_type":"odd","high":"\\ud800","low":"\\udc00","swapped":"\\udc00\\ud800","pair":"\\ud83d\\ude00"}',
  '{"_id":"breaks","_type":"odd","raw":"\u2028\u2029\u0085","escaped":"\\u2028\\n\\r\\u0000"}',
  '{"_id":"replacement","_type":"odd","raw":"\ufffd","escaped":"\\ufffd"}',
  '{"_id":"emoji","_type":"odd","text":"👩‍👩‍👧‍👦 🏳️‍🌈 e\u0301 日本語 العربية \u202ertl\u202c"}',
  '{"_id":"bom","_type":"odd","text":"\ufeffinside"}',
  ' \t{ "_id" : "space" ,\t"_type":"odd" , "list" : [ 1 , 2 ] }  ',
  '{"z":1,"_type":"odd","a":{"c":1,"b":2},"_id":"order","10":1,"9":2}',
  '{"_id":"escapes","_type":"odd","a":"\\/\\u002f\\u0041","b":"\\"\\\\","\\u0061b":1}',
  '{"_id":"empty","_type":"odd","o":{},"a":[],"s":"","n":null}',
  '{"_id":"reserved","_type":"odd","error":{"description":"x"},"nextCursor":"x","statusCode":500}',
  `{"_id":"deep","_type":"odd","a":${'['.repeat(500)}${']'.repeat(500)}}`,
].map((line) => Buffer.from(line))

const whole = (lines: readonly Buffer[]): Buffer => Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')]))

/** Makes a snapshot of lines; the folder is gone afterwards. */
async function snapshotOf(
  lines: readonly Buffer[],
  {
    inputs = {},
    nodeArguments = [],
    chunkBytes,
  }: { inputs?: Readonly<Record<string, string>>; nodeArguments?: readonly string[]; chunkBytes?: number } = {},
  inspect: (snapshot: Snapshot, done: BackupRun) => Promise<void> = async () => undefined,
): Promise<Snapshot> {
  await using sanity = await startSanity({ lines })
  if (chunkBytes !== undefined) sanity.fault('export', { stream: { chunkBytes } })
  await using done = await backUp({ sanity }, { inputs, nodeArguments })
  const snapshot = await readSnapshot(done)
  await inspect(snapshot, done)
  return snapshot
}

/** Lines that do not compress, several blocks of the compressor's long. */
const manyLines: readonly Buffer[] = Array.from({ length: 3_000 }, (_, index) =>
  Buffer.from(`{"_id":"document-${index}","_type":"bulk","noise":"${randomBytes(750).toString('base64')}"}`),
)

describe('the bytes of the documents', () => {
  it.concurrent.each(
    (['gzip', 'zstd'] as const).flatMap((compression) => [1, 2, 3, 7, 1_000, 65_536].map((chunkBytes) => ({ compression, chunkBytes }))),
  )('are those that were sent: $compression, $chunkBytes bytes at a time', async ({ compression, chunkBytes }) => {
    const snapshot = await snapshotOf(oddLines, { inputs: { compression }, chunkBytes })

    expect(snapshot.data.equals(whole(oddLines))).toBe(true)
  })

  it('are those that were sent also where the processor cannot take sixteen bytes at a time', async () => {
    const snapshot = await snapshotOf(oddLines, { nodeArguments: ['--no-enable-sse4-1'] })

    expect(snapshot.data.equals(whole(oddLines))).toBe(true)
  })

  it.concurrent.each([1_000_000, 32_000_000])('are those that were sent in a line of %d bytes', async (bytes) => {
    const long = Buffer.from(`{"_id":"long","_type":"odd","text":"${'ä'.repeat(bytes / 2)}"}`)
    const lines = [...oddLines, long, Buffer.from('{"_id":"last","_type":"odd"}')]

    const snapshot = await snapshotOf(lines, { chunkBytes: 1_000_003 })

    expect(snapshot.data.equals(whole(lines))).toBe(true)
  })

  it.concurrent.each(['gzip', 'zstd'])('are those that were sent when there are many: %s', async (compression) => {
    const snapshot = await snapshotOf(manyLines, { inputs: { compression } })

    expect(snapshot.data.equals(whole(manyLines))).toBe(true)
  })
})

describe('the data file', () => {
  it.concurrent.each([
    { name: 'small', lines: oddLines },
    { name: 'large', lines: manyLines },
  ])('of gzip is one member, which begins and ends with the file: $name', async ({ lines }) => {
    const { stored } = await snapshotOf(lines)

    expect(stored.subarray(0, 4).toString('hex')).toBe('1f8b0800')
    const { buffer, engine } = inflateRawSync(stored.subarray(10), { info: true } as object) as unknown as {
      buffer: Buffer
      engine: { bytesWritten: number }
    }
    expect(10 + engine.bytesWritten + 8).toBe(stored.length)
    expect(stored.readUInt32LE(stored.length - 4)).toBe(buffer.length)
  })

  it.concurrent.each([
    { name: 'small', lines: oddLines },
    { name: 'large', lines: manyLines },
  ])('of zstd is one frame with a checksum: $name', async ({ lines }) => {
    await snapshotOf(lines, { inputs: { compression: 'zstd' } }, async ({ folder }) => {
      const { stdout } = await run('zstd', ['-lv', join(folder, 'data.ndjson.zst')])

      expect(stdout).toMatch(/# Zstandard Frames: 1$/m)
      expect(stdout).toMatch(/Check: XXH64/)
    })
  })

  it.concurrent.each([
    { compression: 'gzip', file: 'data.ndjson.gz', test: ['gunzip', '-t'], print: ['gunzip', '-c'] },
    { compression: 'zstd', file: 'data.ndjson.zst', test: ['zstd', '-t'], print: ['zstd', '-dc'] },
  ] as const)('of $compression opens with the command line tool', async ({ compression, file, test, print }) => {
    await snapshotOf(manyLines, { inputs: { compression } }, async ({ folder, data }) => {
      await run(test[0], [test[1], join(folder, file)])
      const { stdout } = await run(print[0], [print[1], join(folder, file)], { encoding: 'buffer', maxBuffer: 100_000_000 })

      expect(stdout.equals(data)).toBe(true)
    })
  })

  it.concurrent.each([
    { compression: 'gzip', fast: '1', small: '9' },
    { compression: 'zstd', fast: '1', small: '19' },
  ])('is smaller at the highest level of $compression', async ({ compression, fast, small }) => {
    const text = Array.from({ length: 500 }, (_, index) =>
      Buffer.from(`{"_id":"d${index}","_type":"t","n":"${(index * 7919) % 10007} ${index % 13} words"}`),
    )

    const [fastest, smallest] = await Promise.all(
      [fast, small].map((level) => snapshotOf(text, { inputs: { compression, 'compression-level': level } })),
    )

    expect(smallest?.stored.length).toBeLessThan(fastest?.stored.length ?? 0)
    expect(smallest?.data.equals(fastest?.data ?? Buffer.alloc(0))).toBe(true)
  })
})

describe('the digests', () => {
  it.concurrent.each(['gzip', 'zstd'])('are those of the file and of its content: %s', async (compression) => {
    const { manifest, stored, data, files } = await snapshotOf(oddLines, { inputs: { compression } })

    expect(manifest.files).toEqual([
      {
        path: files[0],
        sizeBytes: stored.length,
        digest: sha256(stored),
        contentBytes: data.length,
        contentDigest: sha256(data),
      },
    ])
  })

  it.concurrent('of the documents are the sum of those of the lines', async () => {
    const { manifest } = await snapshotOf(oddLines)

    expect(manifest.documents.contentDigest).toBe(sumSha256(oddLines))
  })

  it.concurrent('of the documents wrap around at 2^256', async () => {
    // Of so many digests the sum is surely larger.
    const sum = manyLines.reduce((total, line) => total + BigInt(`0x${createHash('sha256').update(line).digest('hex')}`), 0n)
    expect(sum > 2n ** 256n).toBe(true)

    const { manifest } = await snapshotOf(manyLines)

    expect(manifest.documents.contentDigest).toBe(sumSha256(manyLines))
  })

  it.concurrent('of the documents do not depend on the order, those of the file do', async () => {
    const [forwards, backwards] = await Promise.all([snapshotOf(oddLines), snapshotOf(oddLines.toReversed())])

    expect(backwards.manifest.documents.contentDigest).toBe(forwards.manifest.documents.contentDigest)
    expect(backwards.manifest.files[0]?.contentDigest).not.toBe(forwards.manifest.files[0]?.contentDigest)
  })

  it.concurrent('of the documents are the same for both compressions', async () => {
    const [gzip, zstd] = await Promise.all(['gzip', 'zstd'].map((compression) => snapshotOf(oddLines, { inputs: { compression } })))

    expect(zstd?.manifest.documents.contentDigest).toBe(gzip?.manifest.documents.contentDigest)
  })
})

describe('the filters', () => {
  const documents = [
    { _id: 'a', _type: 'post' },
    { _id: 'drafts.a', _type: 'post' },
    { _id: 'drafts.new', _type: 'page' },
    { _id: 'versions.rA.a', _type: 'post' },
    { _id: 'b', _type: 'page' },
    { _id: 'c', _type: 'author' },
    { _id: 'secrets', _type: 'post' },
    { _id: 'secrets.mux', _type: 'mux.apiKey' },
    { _id: 'secrets.deep.er', _type: 'pluginSecrets' },
    { _id: 'drafts.secrets.mux', _type: 'mux.apiKey' },
    { _id: 'versions.rA.secrets.mux', _type: 'mux.apiKey' },
    { _id: 'secretsx', _type: 'post' },
    { _id: 'my.secrets.x', _type: 'post' },
    { _id: '_.groups.public', _type: 'system.group' },
    { _id: '_.schemas.default', _type: 'system.schema' },
    { _id: '_.retention.x', _type: 'system.retention' },
    { _id: '_.releases.rA', _type: 'system.release' },
  ]
  const ids = documents.map(({ _id }) => _id)
  const system = ['_.groups.public', '_.schemas.default', '_.retention.x']
  const secrets = ['secrets.mux', 'secrets.deep.er', 'drafts.secrets.mux', 'versions.rA.secrets.mux']
  const all = ids.filter((id) => !system.includes(id))
  const without = (...left: readonly string[]) => all.filter((id) => !left.includes(id))

  it.concurrent.each([
    { name: 'nothing but plugin secrets and system documents by default', inputs: {}, kept: without(...secrets), excluded: 4 },
    { name: 'nothing but system documents with empty exclude-ids', inputs: { 'exclude-ids': '' }, kept: all, excluded: 0 },
    {
      name: 'one segment for a star',
      inputs: { 'exclude-ids': 'secrets.*' },
      kept: without('secrets.mux', 'drafts.secrets.mux', 'versions.rA.secrets.mux'),
      excluded: 3,
    },
    {
      name: 'an id and its drafts and versions for an id',
      inputs: { 'exclude-ids': 'a' },
      kept: without('a', 'drafts.a', 'versions.rA.a'),
      excluded: 3,
    },
    { name: 'only the draft for the id of a draft', inputs: { 'exclude-ids': 'drafts.a' }, kept: without('drafts.a'), excluded: 1 },
    {
      name: 'all drafts for a pattern of drafts',
      inputs: { 'exclude-ids': 'drafts.**' },
      kept: without('drafts.a', 'drafts.new', 'drafts.secrets.mux'),
      excluded: 3,
    },
    { name: 'what several patterns match', inputs: { 'exclude-ids': 'b, c\nmy.**' }, kept: without('b', 'c', 'my.secrets.x'), excluded: 3 },
    {
      name: 'everything in the middle for two stars',
      inputs: { 'exclude-ids': '**.secrets.*' },
      kept: without('my.secrets.x', 'drafts.secrets.mux', 'versions.rA.secrets.mux'),
      excluded: 3,
    },
    {
      name: 'excluded types',
      inputs: { 'exclude-types': 'post,\n author', 'exclude-ids': '' },
      kept: all.filter((id) => !/^((drafts\.|versions\.rA\.)?a|c|secrets|secretsx|my\.secrets\.x)$/.test(id)),
      excluded: 7,
    },
    { name: 'types that are not asked for', inputs: { types: 'page' }, kept: ['drafts.new', 'b'], excluded: 0 },
    { name: 'types that are not asked for, and ids', inputs: { types: 'mux.apiKey\npage' }, kept: ['drafts.new', 'b'], excluded: 3 },
    {
      name: 'drafts, versions and releases without include-drafts',
      inputs: { 'include-drafts': 'false', 'exclude-ids': '' },
      kept: all.filter((id) => !/^(drafts|versions|_)\./.test(id)),
      excluded: 0,
    },
    {
      name: 'drafts, versions, releases and plugin secrets',
      inputs: { 'include-drafts': 'false' },
      kept: ['a', 'b', 'c', 'secrets', 'secretsx', 'my.secrets.x'],
      excluded: 2,
    },
  ])('leave out $name', async ({ inputs, kept, excluded }) => {
    const lines = documents.map((document) => Buffer.from(JSON.stringify(document)))

    const { lines: stored, manifest } = await snapshotOf(lines, { inputs })

    expect(stored.map((line) => JSON.parse(line)._id)).toEqual(kept)
    expect(manifest.documents).toMatchObject({
      count: kept.length,
      drafts: kept.filter((id) => id.startsWith('drafts.')).length,
      versions: kept.filter((id) => id.startsWith('versions.')).length,
      excluded,
      contentDigest: sumSha256(stored),
    })
  })

  it.concurrent('leave out the keys of Studio plugins and previews by default, and their drafts and versions', async () => {
    const published = [
      'secrets.mux',
      'translationService.secrets',
      'transifex.secrets',
      'preview.secret',
      'sanity-preview-url-secret.share-access',
      'sanity-preview-url-secret.0a1b2c',
    ]
    const keys = published.flatMap((id) => [id, `drafts.${id}`, `versions.rA.${id}`])
    const lines = [...keys, 'a'].map((_id) => Buffer.from(JSON.stringify({ _id, _type: 'pluginSecrets' })))

    await snapshotOf(lines, {}, async ({ lines: stored, manifest }, { maskedLog }) => {
      expect(stored.map((line) => JSON.parse(line)._id)).toEqual(['a'])
      expect(manifest.documents.excluded).toBe(18)
      expect(maskedLog).toContain('Left out by `exclude-types` and `exclude-ids`: 18 documents')
    })
  })

  it.concurrent('are warned of once where a type that is stored looks like a secret, with the pattern that leaves it out', async () => {
    const stored = [
      { _id: 'mux', _type: 'mux.apiKey' },
      { _id: 'drafts.mux', _type: 'mux.apiKey' },
      { _id: 'one', _type: '::error::Password' },
      { _id: 'two', _type: '::error::Password' },
      { _id: 'secrets.x', _type: 'pluginSecrets' },
    ]
    await snapshotOf(
      stored.map((document) => Buffer.from(JSON.stringify(document))),
      {},
      async (_, { warnings }) => {
        expect(warnings).toEqual([
          expect.stringMatching(
            /"mux\.apiKey" \(2 documents; `exclude-ids` with `mux` leaves them out\), ": :error::Password" \(2 documents; `exclude-types: : :error::Password` leaves/,
          ),
        ])
      },
    )
  })

  it.concurrent('are recorded as they were set', async () => {
    const inputs = { 'include-drafts': 'False', types: 'post, page\n author,post', 'exclude-types': 'other', 'exclude-ids': 'x.*,y' }

    const { manifest } = await snapshotOf(
      documents.map((document) => Buffer.from(JSON.stringify(document))),
      { inputs },
    )

    expect(manifest.filters).toEqual({
      includeDrafts: false,
      types: ['post', 'page', 'author'],
      excludeTypes: ['other'],
      excludeIds: ['x.*', 'y'],
    })
  })

  it.concurrent('are told in the summary with what they left out', async () => {
    await snapshotOf(
      documents.map((document) => Buffer.from(JSON.stringify(document))),
      { inputs: { 'exclude-types': 'author' } },
      async (_, { summary }) => {
        expect(summary).toMatch(/### Not in this snapshot[\s\S]*author[\s\S]*secrets\.[\s\S]*\b5 documents/)
      },
    )
  })
})

describe('a finished snapshot', () => {
  const inputs = { label: 'pre-deploy', compression: 'zstd' }
  const documents = [...threeDocuments, { _id: 'drafts.a', _type: 'post' }, { _id: 'secrets.x', _type: 'key' }]

  async function backUpLabelled(sanity: Sanity): Promise<BackupRun> {
    return await backUp({ sanity }, { inputs, env: { GITHUB_RUN_ID: '7', GITHUB_RUN_ATTEMPT: '3', GITHUB_EVENT_NAME: 'push' } })
  }

  it.concurrent('has a manifest with all values, its keys in the order of the format', async () => {
    await using sanity = await startSanity({ documents })

    await using done = await backUpLabelled(sanity)

    const { manifest, data, stored, lines } = await readSnapshot(done)
    const expected = {
      format: 'sanity-backup/1',
      snapshot: expect.stringMatching(/^abc12345-production-\d{8}T\d{6}Z-pre-deploy$/),
      label: 'pre-deploy',
      shard: null,
      takenAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      finishedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      complete: true,
      source: { projectId: 'abc12345', dataset: 'production', apiVersion: '2025-02-19', mode: 'stream' },
      tool: { name: 'sanity-backup', version: expect.stringMatching(/^\d+\.\d+\.\d+/) },
      run: { repository: 'acme/site', runId: '7', runAttempt: 3, event: 'push', sha: '0123456789abcdef0123456789abcdef01234567' },
      filters: {
        includeDrafts: true,
        types: [],
        excludeTypes: [],
        excludeIds: ['secrets.**', '*.secrets', '*.secret', 'sanity-preview-url-secret.**'],
      },
      documents: {
        count: 4,
        drafts: 1,
        versions: 0,
        excluded: 1,
        byType: { author: 1, post: 3 },
        liveCountBefore: 5,
        liveCountAfter: 5,
        contentDigest: sumSha256(lines),
      },
      assets: { included: false, count: 0, sizeBytes: 0, reused: 0, missing: [] },
      access: { fullRead: true },
      encryption: null,
      files: [
        {
          path: 'data.ndjson.zst',
          sizeBytes: stored.length,
          digest: sha256(stored),
          contentBytes: data.length,
          contentDigest: sha256(data),
        },
      ],
    }
    expect(manifest).toEqual(expected)
    expect(keysOf(manifest)).toEqual(keysOf(expected))
  })

  it.concurrent('is named after the time at which it was taken', async () => {
    await using sanity = await startSanity({ documents })

    await using done = await backUpLabelled(sanity)

    const { manifest } = await readSnapshot(done)
    expect(manifest.snapshot).toBe(`abc12345-production-${manifest.takenAt.replaceAll(/[-:]/g, '')}-pre-deploy`)
    expect(manifest.finishedAt >= manifest.takenAt).toBe(true)
  })

  it.concurrent('is printed as two-space JSON', async () => {
    await using sanity = await startSanity({ documents })

    await using done = await backUpLabelled(sanity)

    const { manifest, folder } = await readSnapshot(done)
    const { stdout } = await run('cat', [join(folder, 'manifest.json')])
    expect(stdout).toBe(`${JSON.stringify(manifest, null, 2)}\n`)
  })

  it.concurrent('says no run outside of GitHub Actions', async () => {
    await using sanity = await startSanity({ documents })

    await using done = await backUp({ sanity }, { env: { GITHUB_ACTIONS: '' } })

    expect((await readSnapshot(done)).manifest.run).toBeNull()
  })

  it.concurrent('lies in its folder with nothing beside it, for its owner only', async () => {
    await using sanity = await startSanity({ documents })

    await using done = await backUpLabelled(sanity)

    const { files, folder, manifest } = await readSnapshot(done)
    const { stdout } = await run('stat', ['-c', '%a %n', folder, join(folder, 'manifest.json'), join(folder, 'data.ndjson.zst')])
    expect(files).toEqual(['data.ndjson.zst', 'manifest.json'])
    expect(folder).toBe(join(done.path, manifest.snapshot))
    expect(stdout.match(/^\d+/gm)).toEqual(['700', '600', '600'])
  })

  it.concurrent('sets every output', async () => {
    await using sanity = await startSanity({ documents })

    await using done = await backUpLabelled(sanity)

    const { folder, manifest, stored } = await readSnapshot(done)
    const { stdout } = await run('stat', ['-c', '%s', join(folder, 'manifest.json')])
    expect(done.outputs).toEqual({
      status: 'stored',
      snapshot: manifest.snapshot,
      path: folder,
      manifest: join(folder, 'manifest.json'),
      'document-count': '4',
      'asset-count': '0',
      'missing-asset-count': '0',
      'size-bytes': String(stored.length + Number(stdout)),
      digest: sha256(stored),
      'artifact-id': '',
      'artifact-url': '',
      branch: '',
      'commit-sha': '',
    })
  })

  it.concurrent('has a name of its own when two are made in one second', async () => {
    await using sanity = await startSanity({ documents })
    await using first = await backUp({ sanity })

    const others = await Promise.all([1, 2].map(() => backUp({ sanity }, { inputs: { path: first.path } })))

    expect(others.map(({ exitCode }) => exitCode)).toEqual([0, 0])
    const names = [first, ...others].map(({ outputs }) => outputs['snapshot'])
    expect(new Set(names).size).toBe(3)
    await Promise.all(others.map((other) => other[Symbol.asyncDispose]()))
  })

  it.concurrent.each(['v2025-02-19', '2025-02-19', 'vX', '1'])('is asked for under the API version %s', async (version) => {
    await using sanity = await startSanity({ documents })

    await using done = await backUp({ sanity }, { inputs: { 'api-version': version } })

    const bare = version.replace(/^v/, '')
    expect(sanity.of('export').map(({ path }) => path)).toEqual([`/v${bare}/data/export/production`])
    expect((await readSnapshot(done)).manifest.source.apiVersion).toBe(bare)
  })
})

describe('a dataset below the minimum', () => {
  it.concurrent('fails with 0 documents by default', async () => {
    await using sanity = await startSanity({ documents: [] })

    await using done = await backUp({ sanity })

    expect(failureOf(done)).toMatchObject({ exitCode: 1, code: 'too-few-documents' })
    expect(done.error?.message).toMatch(/Hint: .*Viewer.*`min-documents: 0`/s)
  })

  it.concurrent('is backed up with 0 documents when that is allowed', async () => {
    const { manifest, data } = await snapshotOf([], { inputs: { 'min-documents': '0' } })

    expect(data.length).toBe(0)
    expect(manifest.documents).toMatchObject({ count: 0, byType: {}, contentDigest: `sumsha256:${'0'.repeat(64)}` })
  })

  it.concurrent.each([
    {
      name: 'of those stored, after the filters',
      inputs: { 'min-documents': '3', 'exclude-types': 'author' },
      says: /gave 2 documents.*asks for 3/,
    },
    { name: 'of those there are', inputs: { 'min-documents': '4' }, says: /gave 3 documents.*asks for 4/ },
  ])('fails with the number $name', async ({ inputs, says }) => {
    await using sanity = await startSanity({ documents: threeDocuments })

    await using done = await backUp({ sanity }, { inputs })

    expect(failureOf(done)).toMatchObject({ exitCode: 1, code: 'too-few-documents', message: expect.stringMatching(says) })
  })

  it.concurrent('passes with exactly as many', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })

    await using done = await backUp({ sanity }, { inputs: { 'min-documents': '3' } })

    expect(done.exitCode).toBe(0)
  })
})

/** The keys of a value at every depth, in their order. */
function keysOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(keysOf)
  if (typeof value !== 'object' || value === null || '$$typeof' in value) return 'value'
  return Object.entries(value).map(([key, inner]) => [key, keysOf(inner)])
}
