import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { parse } from 'yaml'
import type { BackupOutcome } from '../../src/commands/backup/outcome.ts'
import type { StoredOnBranch } from '../../src/destinations/destination.ts'
import { BackupError } from '../../src/errors.ts'
import { backupEnding, backupFailure } from '../../src/report/backup.ts'
import type { Ending } from '../../src/report/ending.ts'
import { exampleManifest } from '../support/example.ts'
import { address, artifact, dataFile, directory, outcome } from './example.ts'

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

  const newer: StoredOnBranch = {
    kind: 'branch',
    repository: 'acme/site',
    branch: 'b',
    commit: 'c0ffee',
    unchanged: true,
    notKept: true,
    manifest: exampleManifest,
    sizeBytes: undefined,
    digest: undefined,
    byType: undefined,
  }
  it.each<{ when: string; change: Partial<BackupOutcome>; says: string }>([
    {
      when: 'the guard could look at some places only',
      change: { compared: { kind: 'compared', previous: exampleManifest, everywhere: false } },
      says: 'stored and read back, not compared everywhere',
    },
    {
      when: 'the guard could not look, and nothing was new',
      change: { status: 'unchanged', compared: { kind: 'unknown' } },
      says: 'unchanged, nothing new to store, not compared',
    },
    {
      when: 'a newer snapshot is there and this one is nowhere',
      change: { status: 'unchanged', stored: [newer] },
      says: 'not kept: the branch holds a newer snapshot',
    },
    {
      when: 'a newer snapshot is there and this one is elsewhere',
      change: { stored: [artifact, newer] },
      says: 'stored and read back, but not kept on the branch, which holds a newer snapshot',
    },
  ])('asks for a look in its first line where $when', ({ change, says }) => {
    expect(render(change).split('\n')[0]).toBe(`## Sanity backup: ⚠️ ${says}`)
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

describe('the outputs of a backup', () => {
  it('are those that action.yml declares, and no others; every failed run adds its error-code', () => {
    const { outputs } = parse(readFileSync(new URL('../../action.yml', import.meta.url), 'utf8')) as { outputs: Record<string, object> }
    expect([...Object.keys(endingOf({}).outputs), 'error-code'].toSorted()).toEqual(Object.keys(outputs).toSorted())
  })

  it('are those of all destinations, and empty for the others', () => {
    expect(endingOf({ stored: [artifact] }).outputs).toEqual({
      status: 'stored',
      snapshot: 'abc12345-production-20261122T081500Z',
      path: '',
      manifest: '',
      'document-count': 2,
      'asset-count': 0,
      'missing-asset-count': 0,
      'size-bytes': 1300,
      digest: dataFile.digest,
      'artifact-id': 1000,
      'artifact-url': artifact.url,
      branch: '',
      'commit-sha': '',
    })
    expect(endingOf({ stored: [directory] }).outputs).toMatchObject({ path: '/tmp/x', manifest: '/tmp/x/manifest.json', 'artifact-id': '' })
  })

  it('say incomplete where nothing was stored for lack of assets, and nothing after any other failure', () => {
    const error = (code: 'asset-missing' | 'disk-full') => new BackupError({ code, title: 't', message: 'm', hint: 'h' })
    expect(backupFailure(error('asset-missing')).outputs).toEqual({ status: 'incomplete' })
    expect(backupFailure(error('disk-full')).outputs).toEqual({})
  })
})

describe('a backup that was stored and fails all the same', () => {
  const lost = Object.assign(new Error('no room'), { code: 'ENOSPC' })
  const cancelled = new BackupError({ code: 'cancelled', title: 'Cancelled', message: 'It was cancelled.', hint: 'Run it again.' })

  it('says where the snapshot is', () => {
    const { failure } = backupEnding({ outcome: { ...outcome, stored: [artifact, directory] }, cancelled }, address)
    expect(failure).toMatchObject({
      code: 'cancelled',
      message:
        'It was cancelled. The snapshot abc12345-production-20261122T081500Z is stored, and was read back, as artifact and directory.',
    })
  })

  it.each([
    {
      name: 'a full disk, which takes its folder away',
      error: lost,
      stored: [artifact, directory],
      code: 'disk-full',
      says: 'read back, as artifact.',
      withdrawn: 1,
    },
    {
      name: 'a full disk, which takes all that there is away',
      error: lost,
      stored: [directory],
      code: 'disk-full',
      says: 'Nothing was stored.',
      withdrawn: 1,
    },
    {
      name: 'a file that is gone',
      error: new Error('gone'),
      stored: [directory],
      code: 'unexpected',
      says: 'read back, as directory.',
      withdrawn: 0,
    },
  ])('because its outputs cannot be written: $name', ({ error, stored, code, says, withdrawn }) => {
    let calls = 0
    const ending = endingOf({ stored, withdraw: () => calls++ }).unwritten?.(error)
    expect(ending?.failure).toMatchObject({ code, message: expect.stringContaining(says) })
    expect(calls).toBe(withdrawn)
  })

  it('stays cancelled where its outputs cannot be written either', () => {
    let calls = 0
    const ending = backupEnding({ outcome: { ...outcome, withdraw: () => calls++ }, cancelled }, address).unwritten?.(lost)
    expect({ code: ending?.failure?.code, calls }).toEqual({ code: 'cancelled', calls: 1 })
  })
})

describe('the summary of a failure', () => {
  const error = new BackupError({ code: 'export-invalid', title: `T ${hostile}`, message: `first ${hostile}\nsecond`, hint: 'Do `this`.' })

  it('of the whole run says so, with the code and the cure', () => {
    const text = backupFailure(error).summary()
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
    expect(Buffer.byteLength(backupFailure(long).summary())).toBeLessThan(64 * 1024)
  })
})

function mermaidOf(text: string): string[] {
  return /```mermaid\n([\s\S]*?)\n```/.exec(text)?.[1]?.split('\n') ?? []
}

function endingOf(change: Partial<BackupOutcome>): Ending {
  return backupEnding({ outcome: { ...outcome, ...change }, cancelled: undefined }, address)
}

function render(change: Partial<BackupOutcome>): string {
  return endingOf(change).summary()
}
