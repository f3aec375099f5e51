import { describe, expect, it } from '@jest/globals'
import { sumSha256 } from '../../support.ts'
import { snapshotOf } from './support.ts'

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
        expect(summary).toMatch(/\*\*Not included:\*\* .*author.*secrets\..*\b5 documents/)
      },
    )
  })
})
