import { describe, expect, it } from '@jest/globals'
import type { BackupOutcome } from '../../src/commands/backup/outcome.ts'
import { BackupError } from '../../src/errors.ts'
import { renderBackup, renderFailure } from '../../src/report/backup.ts'
import { exampleManifest } from '../snapshot/example.ts'

const place = { repository: 'acme/site', runId: '42', serverUrl: 'https://github.com' }
const artifact = {
  kind: 'artifact',
  name: 'sanity-abc12345-production',
  id: 1000,
  url: 'https://github.com/acme/site/actions/runs/42/artifacts/1000',
  sizeBytes: 5000,
} as const
const directory = { kind: 'directory', folder: '/tmp/x', manifest: '/tmp/x/manifest.json' } as const
const hostile = '|`<b>\n::error::x ##[y] "] --> @octocat [a](https://evil.example) \u202e'

describe('the summary of a backup', () => {
  it('says in its first lines what was stored, and that it was read back', () => {
    expect(render({}).split('\n').slice(0, 3)).toEqual([
      '## Sanity backup: ✅ stored and read back',
      '',
      '**abc12345-production-20261122T081500Z**',
    ])
  })

  it.each([
    { row: 'Documents', value: '2' },
    { row: 'Of these drafts', value: '1' },
    { row: 'Assets', value: 'not included' },
    { row: 'Size', value: '1.3 kB \\(10.0 kB of documents, 8.1 to 1\\)' },
    { row: 'Duration', value: '5.0 s \\(export 4.0 s, 2.5 kB/s\\)' },
    { row: 'Time went to', value: 'download 3.0 s, compress 1.0 s, upload 0.6 s, verify 0.4 s' },
    { row: 'Complete', value: '2 received; Sanity counts 2' },
    { row: 'Stored as', value: 'artifact' },
  ])('has the row $row', ({ row, value }) => {
    expect(render({})).toMatch(new RegExp(`^\\| ${row} \\| ${value} \\|$`, 'm'))
  })

  it('names both counts where the dataset changed during the export', () => {
    const documents = { ...exampleManifest.documents, liveCountBefore: 1234, liveCountAfter: 1236 }
    expect(render({ manifest: { ...exampleManifest, documents } })).toContain('Sanity counts 1,234 before, 1,236 after')
  })

  it('asks for a look in its first line where the guard could not look', () => {
    const text = render({ compared: { kind: 'unknown' } })
    expect(text.split('\n')[0]).toBe('## Sanity backup: ⚠️ stored and read back, not compared')
    expect(text).toContain('The warnings in the log say why.')
  })

  it('says that there was nothing to compare with, and where, without what could do harm', () => {
    const text = render({ compared: { kind: 'nothing', why: 'the folder "<b>" is empty' } })
    expect(text).toMatch(/There was nothing to compare with: the folder .* is empty\. `max-shrink-percent` did not run\./)
    expect(text).not.toContain('<b>')
  })

  it('shows the types as a Mermaid pie, the largest first, and the rest as one slice', () => {
    const byType = Object.fromEntries(Array.from({ length: 15 }, (_, index) => [`type${index}`, index + 1]))
    const block = mermaidOf(render({ manifest: { ...exampleManifest, documents: { ...exampleManifest.documents, byType } } }))
    expect(block.slice(0, 3)).toEqual(['pie showData title Documents by type', '  "type14" : 15', '  "type13" : 14'])
    expect(block.at(-1)).toBe('  "3 other types" : 6')
    expect(block).toHaveLength(14)
  })

  it('has no chart for a snapshot of nothing', () => {
    const documents = { ...exampleManifest.documents, count: 0, byType: {} }
    expect(render({ manifest: { ...exampleManifest, documents } })).not.toContain('mermaid')
  })

  it('stays small and well-formed for 10,000 types with long hostile names', () => {
    const byType = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`${index} ${hostile.repeat(20)}`, index]))
    const names = Object.keys(byType)
    const filters = { includeDrafts: false, types: names, excludeTypes: names, excludeIds: names }
    const text = render({ manifest: { ...exampleManifest, filters, documents: { ...exampleManifest.documents, byType } } })
    expect(Buffer.byteLength(text)).toBeLessThan(64 * 1024)
    expect(
      mermaidOf(text)
        .slice(1)
        .filter((line) => !/^ {2}"[A-Za-z0-9._ ?-]{1,40}" : \d+$/.test(line)),
    ).toEqual([])
  })

  it('makes all text from outside harmless', () => {
    const filters = { includeDrafts: true, types: [hostile], excludeTypes: [hostile], excludeIds: [hostile] }
    const source = { ...exampleManifest.source, dataset: hostile }
    const byType = { [hostile]: 1 }
    const manifest = {
      ...exampleManifest,
      filters,
      source,
      snapshot: hostile,
      access: { fullRead: false },
      documents: { ...exampleManifest.documents, byType },
    }
    const prose = render({ manifest }).split('### Restore it')[0] ?? ''
    expect(prose).not.toMatch(/<b>|@octocat|(?<!\\)\]\(|https:\/\/|##\[/)
    expect(prose.split('\n').filter((line) => line.startsWith('::'))).toEqual([])
    expect(
      prose
        .split('\n')
        .filter((line) => line.startsWith('| '))
        .map((line) => line.replaceAll('\\|', '').split('|').length),
    ).toEqual(Array.from({ length: 12 }, () => 4))
  })

  it('is no wider for a table row than its two cells', () => {
    const rows = render({})
      .split('\n')
      .filter((line) => line.startsWith('| ') && !line.startsWith('| ---'))
    expect(rows.filter((line) => line.split('|').length !== 4 && line !== '| | |')).toEqual([])
  })
})

describe('what is not in the snapshot', () => {
  it.each([
    { name: 'asset files', filters: {}, says: 'Asset files' },
    { name: 'drafts', filters: { includeDrafts: false }, says: 'Drafts, versions and releases (`include-drafts: false`): 3 left out.' },
    { name: 'other types', filters: { types: ['post', 'page'] }, says: 'Types other than post, page.' },
    { name: 'excluded types', filters: { excludeTypes: ['log'] }, says: 'Types log (`exclude-types`).' },
    { name: 'excluded ids', filters: { excludeIds: ['secrets.**'] }, says: 'Ids like secrets.\\*\\* (`exclude-ids`).' },
  ])('is said: $name', ({ filters, says }) => {
    expect(render({ manifest: { ...exampleManifest, filters: { ...exampleManifest.filters, excludeIds: [], ...filters } } })).toContain(
      `- ${says}`,
    )
  })

  it.each([
    { fullRead: true, says: 0 },
    { fullRead: false, says: 1 },
    { fullRead: null, says: 1 },
  ])('may be more when the token reads everything: $fullRead', ({ fullRead, says }) => {
    const text = render({ manifest: { ...exampleManifest, access: { fullRead } } })
    expect(text.match(/Perhaps more/g) ?? []).toHaveLength(says)
  })
})

describe('the lines that restore a snapshot', () => {
  it.each([
    { serverUrl: 'https://github.com/', repo: 'acme/site' },
    { serverUrl: 'https://acme.ghe.com', repo: 'acme.ghe.com/acme/site' },
  ])('name the host of the repository where that is not github.com: $serverUrl', ({ serverUrl, repo }) => {
    expect(render({ stored: [artifact] }, { serverUrl })).toContain(`gh run download 42 --repo ${repo} --name`)
  })

  it.each([
    {
      name: 'gzip, as an artifact',
      file: 'data.ndjson.gz',
      stored: [artifact],
      lines: [
        "gh run download 42 --repo acme/site --name 'sanity-abc12345-production' --dir snapshot",
        'npx sanity@latest dataset import snapshot/data.ndjson.gz --project-id abc12345 --dataset production --replace',
      ],
    },
    {
      name: 'zstd, as an artifact and a directory',
      file: 'data.ndjson.zst',
      stored: [artifact, directory],
      lines: [
        "gh run download 42 --repo acme/site --name 'sanity-abc12345-production' --dir snapshot",
        'zstd -d snapshot/data.ndjson.zst',
        'npx sanity@latest dataset import snapshot/data.ndjson --project-id abc12345 --dataset production --replace',
      ],
    },
    {
      name: 'gzip, as a directory',
      file: 'data.ndjson.gz',
      stored: [directory],
      lines: [
        'npx sanity@latest dataset import ./abc12345-production-20261122T081500Z/data.ndjson.gz --project-id abc12345 --dataset production --replace',
      ],
    },
    {
      name: 'zstd, as a directory',
      file: 'data.ndjson.zst',
      stored: [directory],
      lines: [
        'zstd -d ./abc12345-production-20261122T081500Z/data.ndjson.zst',
        'npx sanity@latest dataset import ./abc12345-production-20261122T081500Z/data.ndjson --project-id abc12345 --dataset production --replace',
      ],
    },
  ])('are right for $name', ({ file, stored, lines }) => {
    const text = render({
      stored,
      documents: { ...outcome.documents, data: { file: { ...dataFile, path: file }, contentDigest: documents.contentDigest } },
    })
    expect(/```sh\n([\s\S]*?)\n```/.exec(text)?.[1]?.split('\n')).toEqual(lines)
  })

  it('quote an artifact’s name for the shell', () => {
    expect(render({ stored: [{ ...artifact, name: "it's $(mine)" }] })).toContain("--name 'it'\\''s $(mine)' --dir")
  })
})

describe('a failure', () => {
  const error = new BackupError({ code: 'export-invalid', title: `T ${hostile}`, message: `first ${hostile}\nsecond`, hint: 'Do `this`.' })

  it('of the whole run says so, with the code and the cure', () => {
    const text = renderFailure(error)
    expect(text.split('\n')[0]).toBe('## Sanity backup: ❌ failed')
    expect(text).toContain('(`export-invalid`)')
    expect(text).toContain('<br>second')
    expect(text).toContain('**What to do:** Do `this`.')
    expect(text).not.toMatch(/<b>|@octocat|(?<!\\)\]\(https/)
  })

  it('of one destination stands above the figures', () => {
    const text = render({ failure: error })
    expect(text.split('\n')[0]).toBe('## Sanity backup: ⚠️ stored, but not everywhere')
    expect(text.indexOf('export-invalid')).toBeLessThan(text.indexOf('| Documents |'))
  })

  it('stays small, however many lines its message has', () => {
    const long = new BackupError({ code: 'input-invalid', title: 't', message: `${'x'.repeat(500)}\n`.repeat(60), hint: 'h' })
    expect(Buffer.byteLength(renderFailure(long))).toBeLessThan(64 * 1024)
  })
})

const { documents } = exampleManifest
const [dataFile = { path: '', sizeBytes: 0, digest: 'sha256:' as const }] = exampleManifest.files
const outcome: BackupOutcome = {
  status: 'stored',
  compared: { kind: 'off' },
  digest: dataFile.digest,
  manifest: exampleManifest,
  stored: [artifact],
  documents: {
    tally: {
      count: 2,
      drafts: 1,
      versions: 0,
      excluded: 0,
      draftsLeftOut: 3,
      received: 2,
      damaged: 0,
      lacking: new Map(),
      unsafeNames: 0,
      byType: new Map(),
      holdsToken: false,
      secretTypes: [],
    },
    data: { file: dataFile, contentDigest: documents.contentDigest },
    mode: 'stream',
    repeated: 0,
    streamGivenUp: false,
    liveCountBefore: 2,
    liveCountAfter: 2,
    exportMs: 4000,
    waitedMs: 3000,
  },
  missed: { count: 0, lacks: new Set(), first: [] },
  sizeBytes: 1300,
  durationMs: 5000,
  stages: { downloadMs: 3000, compressMs: 1000, assetsMs: 0, uploadMs: 600, verifyMs: 400 },
  failure: undefined,
  withdraw: () => undefined,
}

function render(change: Partial<BackupOutcome>, at: Partial<typeof place> = {}): string {
  return renderBackup({ ...outcome, ...change }, { ...place, ...at })
}

function mermaidOf(text: string): string[] {
  return /```mermaid\n([\s\S]*?)\n```/.exec(text)?.[1]?.split('\n') ?? []
}
