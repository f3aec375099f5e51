import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { parse } from 'yaml'
import type { BackupOutcome } from '../../../src/commands/backup/outcome.ts'
import type { StoredOnBranch } from '../../../src/destinations/destination.ts'
import { BackupError } from '../../../src/errors.ts'
import { backupEnding, backupFailure } from '../../../src/report/backup/backup.ts'
import type { Ending } from '../../../src/report/ending.ts'
import { exampleManifest } from '../../support/example.ts'
import { artifact, context, dataFile, directory, outcome } from './example.ts'

const hostile = '|`<b>\n::error::x ##[y] "] --> @octocat [a](https://evil.example) \u202e'

describe('the summary of a backup', () => {
  const documents = (change: Partial<typeof exampleManifest.documents>) => ({
    manifest: { ...exampleManifest, documents: { ...exampleManifest.documents, ...change } },
  })
  const compared = (change: Partial<typeof exampleManifest>, everywhere = true): BackupOutcome['compared'] => {
    const previous = { ...exampleManifest, snapshot: 'the-last', takenAt: '2026-11-21T10:15:00Z', ...change }
    return { kind: 'compared', previous, before: previous, everywhere }
  }
  const withTypes = (byType: Record<string, number>, count = 3) =>
    compared({ documents: { ...exampleManifest.documents, count, drafts: 2, byType } })
  const missed = { count: 1, lacks: new Set(['answer'] as const), first: [] }

  it.each([
    { name: 'a good one', change: {}, says: '✅ complete, 2 documents' },
    { name: 'a large one', change: documents({ count: 5439 }), says: '✅ complete, 5,439 documents' },
    { name: 'one with nothing new', change: { status: 'unchanged' as const }, says: '✅ unchanged, nothing new to store, 2 documents' },
    { name: 'missing assets', change: { missed }, says: '⚠️ incomplete, 1 asset missing, 2 documents' },
    {
      name: 'a token that cannot read everything',
      change: { manifest: { ...exampleManifest, access: { fullRead: false } } },
      says: '⚠️ possibly incomplete, 2 documents',
    },
    {
      name: 'a type that is gone',
      change: { compared: withTypes({ post: 2, siteSettings: 1 }) },
      says: '⚠️ complete, 2 documents, 1 type gone',
    },
    {
      name: 'a guard that could not look',
      change: { compared: { kind: 'unknown' as const } },
      says: '⚠️ complete but not compared, 2 documents',
    },
  ])('tells in its heading the dataset, the verdict and the number: $name', ({ change, says }) => {
    expect(render(change).split('\n')[0]).toBe(`## Sanity backup of production: ${says}`)
  })

  it('compares with the last backup in a table', () => {
    expect(tableOf(render({ compared: withTypes({ post: 3 }) }))).toEqual([
      '|  | this backup | last backup (22 h ago) | change |',
      '| --- | ---: | ---: | ---: |',
      '| Documents | **2** | 3 | −1 |',
      '| Drafts and versions | 1 | 2 | −1 |',
      '| Image and file assets | not included | not included |  |',
      '| Size | 1.3 kB | 1.2 kB | same |',
    ])
  })

  it.each([
    { name: 'a larger file of the same kind', change: { files: [{ ...dataFile, sizeBytes: 1000 }] }, says: '+23 %' },
    { name: 'another compression', change: { files: [{ ...dataFile, path: 'data.ndjson.zst' }] }, says: '' },
    { name: 'assets in one of them', change: { assets: { ...exampleManifest.assets, included: true } }, says: '' },
    { name: 'documents in files of their own', change: { branch: { layout: 'text', depth: 1 } as const }, says: '' },
  ])('gives a ratio of sizes only where both are of the same thing: $name', ({ change, says }) => {
    expect(tableOf(render({ compared: compared(change) })).at(-1)).toMatch(new RegExp(`\\| ${says.replace('+', '\\+')} \\|$`))
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
      change: { compared: compared({}, false) },
      says: 'complete but not compared everywhere',
    },
    {
      when: 'a newer snapshot is there and this one is nowhere',
      change: { status: 'unchanged', stored: [newer] },
      says: 'not kept: the branch holds a newer snapshot',
    },
    {
      when: 'a newer snapshot is there and this one is elsewhere',
      change: { stored: [artifact, newer] },
      says: 'complete, but not kept on the branch, which holds a newer snapshot',
    },
  ])('asks for a look in its heading where $when', ({ change, says }) => {
    expect(render(change).split('\n')[0]).toContain(`: ⚠️ ${says}, 2 documents`)
  })

  it('has no column of the last backup where there is none, and says why', () => {
    const text = render({ compared: { kind: 'nothing', why: 'the folder "<b>" is empty' } })
    expect(tableOf(text)[0]).toBe('|  | this backup |')
    expect(text).toMatch(/There was nothing to compare with: the folder .* is empty\. `max-shrink-percent` did not run\./)
    expect(text).not.toContain('<b>')
  })

  it('names the types that are gone, and the snapshot that has them', () => {
    expect(render({ compared: withTypes({ post: 2, siteSettings: 1 }) })).toContain(
      '⚠️ **siteSettings is gone** (1 document before). If that was not intended, bring it back from the-last while that is kept.',
    )
  })

  it('says of no type that it is gone where types are not told', () => {
    const sealed = {
      ...exampleManifest,
      encryption: { format: 'age/v1', recipients: [] },
      documents: { ...exampleManifest.documents, byType: {} },
    }
    expect(render({ manifest: sealed, compared: withTypes({ post: 2 }) })).not.toContain('gone')
  })

  it('tells what changed, type by type', () => {
    expect(render({ compared: withTypes({ post: 1200, page: 2 }) })).toContain('**What changed:** post −1,198, page −2')
  })

  it('draws the last backups, this one last', () => {
    const recent = [3, 4].map((count, index) => ({
      snapshot: 's',
      takenAt: `2026-11-2${1 - index}T08:15:00Z`,
      documents: count,
      sizeBytes: 1,
    }))
    expect(mermaidOf(render({ manifest: { ...exampleManifest, recent } })).at(-1)).toBe('  bar [4, 3, 2]')
    expect(render({})).not.toContain('mermaid')
  })

  it('says in three lines what was verified, where it is stored and until when, and what is not included', () => {
    expect(render({})).toContain(
      [
        '**Verified:** all 2 documents that Sanity counts were received, and the stored copy was read back and compared.<br>',
        '**Stored:** artifact [sanity-abc12345-production](https://github.com/acme/site/actions/runs/42/artifacts/1000) until 22 December 2026.<br>',
        '**Not included:** image and file assets (their documents and references are); ids like <code>secrets.\\*\\*</code>, <code>\\*.secrets</code>, <code>\\*.secret</code>, <code>sanity-preview-url-secret.\\*\\*</code> (0 documents left out).',
      ].join('\n'),
    )
  })

  it('names both counts where the dataset changed during the export', () => {
    expect(render(documents({ liveCountBefore: 1234, liveCountAfter: 1236 }))).toContain('Sanity counts 1,234 before and 1,236 after')
  })

  it('folds the lines that restore, and the details, away', () => {
    const text = render({})
    expect(text.match(/<summary>[A-Z][a-z]+/g)).toEqual(['<summary>Restore', '<summary>Details'])
    expect(text.indexOf('dataset import')).toBeGreaterThan(text.indexOf('<summary>Restore'))
  })

  it.each([
    { row: 'Snapshot', value: 'abc12345-production-20261122T081500Z' },
    { row: 'Drafts and versions', value: '1 draft, 0 versions' },
    { row: 'Size', value: '1.3 kB in all; documents 10.0 kB, compressed to 1.2 kB \\(8.1 to 1\\)' },
    { row: 'Timing', value: '5.0 s \\(download 3.0 s, compress 1.0 s, upload 0.6 s, verify 0.4 s; export at 2.5 kB/s\\)' },
    { row: 'Consistency', value: 'one moment: a single export request' },
  ])('has among its details the row $row', ({ row, value }) => {
    expect(detailsOf(render({}))).toMatch(new RegExp(`^\\| ${row} \\| ${value} \\|$`, 'm'))
  })

  it('shows the types with bars, the largest first, and the rest as one row', () => {
    const byType = Object.fromEntries(Array.from({ length: 25 }, (_, index) => [`type${index}`, index + 1]))
    const rows = detailsOf(render(documents({ byType })))
      .split('\n')
      .filter((line) => line.includes('█'))
    expect(rows).toHaveLength(21)
    expect([rows[0], rows.at(-1)]).toEqual([`| type24 | 25 | ${'█'.repeat(20)} |`, `| 5 other types | 15 | ${'█'.repeat(12)} |`])
  })

  it('has no table of types for a snapshot of nothing', () => {
    expect(render(documents({ count: 0, byType: {} }))).not.toContain('| type |')
  })

  it('stays small and well-formed for 10,000 types with long hostile names', () => {
    const byType = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`${index} ${hostile.repeat(20)}`, index]))
    const names = Object.keys(byType)
    const filters = { includeDrafts: false, types: names, excludeTypes: names, excludeIds: names }
    const text = render({
      manifest: { ...exampleManifest, filters, documents: { ...exampleManifest.documents, byType } },
      compared: withTypes(Object.fromEntries(names.map((name) => [`was ${name}`, 1]))),
    })
    expect(Buffer.byteLength(text)).toBeLessThan(128 * 1024)
  })

  it('makes all text from outside harmless', () => {
    const filters = { includeDrafts: true, types: [hostile], excludeTypes: [hostile], excludeIds: [hostile] }
    const source = { ...exampleManifest.source, dataset: hostile }
    const manifest = {
      ...exampleManifest,
      filters,
      source,
      snapshot: hostile,
      access: { fullRead: false },
      documents: { ...exampleManifest.documents, byType: { [hostile]: 1 } },
    }
    const stored = [{ ...artifact, name: hostile, url: `https://github.com/x)${hostile}` }]
    const text = render({ manifest, stored, compared: withTypes({ [`was ${hostile}`]: 1 }) })
    const prose = text.replace(/<details>\n<summary>Restore[\s\S]*?<\/details>/, '')
    expect(prose).not.toMatch(/<b>|@octocat|(?<!\\)\]\(|https:\/\/|##\[/)
    expect(prose.split('\n').filter((line) => line.startsWith('::'))).toEqual([])
    expect([
      ...new Set(
        prose
          .split('\n')
          .filter((line) => line.startsWith('| '))
          .map((line) => line.replaceAll('\\|', '').split('|').length),
      ),
    ]).toEqual([6, 4, 5])
  })

  it('never cuts a message of our own', () => {
    const why = `the folder ${'x'.repeat(2000)} is empty`
    expect(render({ compared: { kind: 'nothing', why } })).toContain(why)
  })
})

describe('what is not included', () => {
  it.each([
    { name: 'asset files', filters: {}, says: 'image and file assets' },
    { name: 'drafts', filters: { includeDrafts: false }, says: 'drafts, versions and releases (`include-drafts: false`; 3 left out)' },
    { name: 'other types', filters: { types: ['post', 'page'] }, says: 'types other than <code>post</code>, <code>page</code>' },
    { name: 'excluded types', filters: { excludeTypes: ['log'] }, says: 'types <code>log</code>' },
    { name: 'excluded ids', filters: { excludeIds: ['secrets.**'] }, says: 'ids like <code>secrets.\\*\\*</code>' },
  ])('is said: $name', ({ filters, says }) => {
    const text = render({ manifest: { ...exampleManifest, filters: { ...exampleManifest.filters, excludeIds: [], ...filters } } })
    expect(/^\*\*Not included:\*\* .*$/m.exec(text)?.[0]).toContain(says)
  })

  it.each([
    { fullRead: true, says: 0 },
    { fullRead: false, says: 2 },
    { fullRead: null, says: 1 },
  ])('may be more when the token reads everything: $fullRead', ({ fullRead, says }) => {
    const text = render({ manifest: { ...exampleManifest, access: { fullRead } } })
    expect(text.match(/possibly (incomplete|more)|this token cannot read every/gi) ?? []).toHaveLength(says === 2 ? 3 : says)
  })
})

describe('the outputs of a backup', () => {
  it('are those that action.yml declares, and no others; every failed run adds its error-code', () => {
    const { outputs } = parse(readFileSync(new URL('../../../action.yml', import.meta.url), 'utf8')) as { outputs: Record<string, object> }
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
    expect(backupFailure(error('asset-missing'), {}, context).outputs).toEqual({ status: 'incomplete' })
    expect(backupFailure(error('disk-full'), {}, context).outputs).toEqual({})
  })
})

describe('a backup that was stored and fails all the same', () => {
  const lost = Object.assign(new Error('no room'), { code: 'ENOSPC' })
  const cancelled = new BackupError({ code: 'cancelled', title: 'Cancelled', message: 'It was cancelled.', hint: 'Run it again.' })

  it('says where the snapshot is', () => {
    const { failure } = backupEnding({ outcome: { ...outcome, stored: [artifact, directory] }, cancelled }, context)
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
    const ending = backupEnding({ outcome: { ...outcome, withdraw: () => calls++ }, cancelled }, context).unwritten?.(lost)
    expect({ code: ending?.failure?.code, calls }).toEqual({ code: 'cancelled', calls: 1 })
  })
})

describe('the summary of a failure', () => {
  const error = new BackupError({
    code: 'export-invalid',
    title: `T ${hostile}`,
    message: `first ${hostile}\nsecond`,
    hint: 'Do `this`. Then do that.',
  })
  const failed = (known: Parameters<typeof backupFailure>[1] = {}) => backupFailure(error, known, context).summary()

  it('says so in its heading, with the dataset where that is known', () => {
    expect(failed().split('\n')[0]).toBe('## Sanity backup: ❌ failed, nothing stored')
    expect(failed({ dataset: 'production' }).split('\n')[0]).toBe('## Sanity backup of production: ❌ failed, nothing stored')
  })

  it('has the code as a link, and the cure as a list', () => {
    const text = failed()
    expect(text).toContain(`[\`export-invalid\`](${context.docs}/errors.md#export-invalid)`)
    expect(text).toContain('<br>second')
    expect(text).toContain('1. Do `this`.\n2. Then do that.')
    expect(text.replaceAll(context.docs, '')).not.toMatch(/<b>|@octocat|(?<!\\)\]\(https/)
  })

  it.each([
    { keptUntil: '2026-12-28T02:00:00Z', says: '2 documents, kept until 28 December 2026 (abc12345-production-20261122T081500Z).' },
    { keptUntil: undefined, says: '2 documents (abc12345-production-20261122T081500Z).' },
  ])('tells of the last good backup: kept until $keptUntil', ({ keptUntil, says }) => {
    const now = new Date('2026-11-23T06:15:00Z')
    const text = backupFailure(
      error,
      { lastGood: { manifest: { ...exampleManifest, run: null }, keptUntil } },
      { ...context, now },
    ).summary()
    expect(text).toContain(`Your last good backup is **22 h old**: ${says}`)
  })

  it.each([
    {
      name: 'leads to the run that made it',
      run: { repository: 'acme/site', runId: '42' },
      link: '[last good backup](https://github.com/acme/site/actions/runs/42)',
    },
    {
      name: 'leads nowhere where the manifest names no repository',
      run: { repository: 'acme/site](https://evil.test)', runId: '42' },
      link: undefined,
    },
    { name: 'leads nowhere where the manifest names no run', run: { repository: 'acme/site', runId: '42#x' }, link: undefined },
  ])('$name', ({ run, link }) => {
    const manifest = { ...exampleManifest, run: { ...run, runAttempt: 1, event: 'schedule', sha: '' } }
    const text = backupFailure(
      error,
      { lastGood: { manifest, keptUntil: undefined } },
      { ...context, serverUrl: 'https://github.com' },
    ).summary()
    expect(text).toContain(`Your ${link ?? 'last good backup'} is **`)
  })

  it('of one destination stands above the table, and says where the snapshot is', () => {
    const text = render({ failure: error })
    expect(text.split('\n')[0]).toBe('## Sanity backup of production: ❌ failed, but stored as artifact, 2 documents')
    expect(text.indexOf('export-invalid')).toBeLessThan(text.indexOf('| Documents |'))
  })

  it('stays small, however many lines its message has, and cuts none', () => {
    const long = new BackupError({ code: 'input-invalid', title: 't', message: `${'x'.repeat(500)}\n`.repeat(60), hint: 'h' })
    const text = backupFailure(long, {}, context).summary()
    expect(Buffer.byteLength(text)).toBeLessThan(64 * 1024)
    expect(text.match(/x{500}<br>/g)).toHaveLength(60)
  })
})

function tableOf(text: string): string[] {
  return (
    text
      .split('\n\n')
      .find((part) => part.startsWith('|  | this backup'))
      ?.split('\n') ?? []
  )
}

function detailsOf(text: string): string {
  return text.split('<summary>Details')[1] ?? ''
}

function mermaidOf(text: string): string[] {
  return /```mermaid\n([\s\S]*?)\n```/.exec(text)?.[1]?.split('\n') ?? []
}

function endingOf(change: Partial<BackupOutcome>): Ending {
  return backupEnding({ outcome: { ...outcome, ...change }, cancelled: undefined }, context)
}

function render(change: Partial<BackupOutcome>): string {
  return endingOf(change).summary()
}
