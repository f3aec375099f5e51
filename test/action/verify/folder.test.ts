import { appendFile, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, it } from '@jest/globals'
import { startSanity } from '../../doubles/sanity/sanity.ts'
import { backUp, readSnapshot, threeDocuments } from '../support.ts'
import { copyOf, ground, onlyIn, verifyWith } from './support.ts'

/** A good snapshot in a folder, of a dataset that refers to nothing that is not there. */
let good: string

beforeAll(async () => {
  await using sanity = await startSanity({ documents: threeDocuments })
  await using run = await backUp({ sanity }, { path: join(ground, 'good') })
  expect(run.exitCode).toBe(0)
  good = await onlyIn(join(ground, 'good'))
})

async function bend(folder: string, change: (manifest: Record<string, unknown>) => object): Promise<void> {
  const file = join(folder, 'manifest.json')
  await writeFile(file, `${JSON.stringify(change(JSON.parse(await readFile(file, 'utf8'))), null, 2)}\n`)
}

it('a whole snapshot in a folder is verified, and the outputs say of what and how old it is', async () => {
  await using run = await verifyWith({ inputs: { path: good } })
  expect(run.error).toBeUndefined()
  expect(run.outputs).toMatchObject({
    status: 'verified',
    findings: '[]',
    snapshot: good.split('/').at(-1),
    'document-count': '3',
    'asset-count': '0',
    'age-hours': '0',
    path: '',
  })
  expect(run.outputs['taken-at']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  expect(run.summary.split('\n')[0]).toBe('## Sanity backup of production: ✅ verified, 3 documents')
  expect(run.log).toContain('nothing is wrong with it')
})

it('a folder that holds snapshots gives the newest', async () => {
  await using run = await verifyWith({ inputs: { path: join(ground, 'good') } })
  expect(run.outputs).toMatchObject({ status: 'verified', snapshot: good.split('/').at(-1) })
})

it.each([
  { level: 'data', says: 'every byte' },
  { level: 'structure', says: 'no data was read' },
])('level $level says how closely it looked', async ({ level, says }) => {
  await using run = await verifyWith({ inputs: { path: good, level } })
  expect(run.outputs['status']).toBe('verified')
  expect(run.summary).toContain(says)
})

const tamper: { name: string; kind: string; change: (folder: string) => Promise<void>; level?: string }[] = [
  { name: 'a file that is gone', kind: 'file-missing', level: 'structure', change: (folder) => rm(join(folder, 'data.ndjson.gz')) },
  { name: 'a file too many', kind: 'file-unexpected', level: 'structure', change: (folder) => writeFile(join(folder, 'x.txt'), 'x') },
  {
    name: 'a byte too many',
    kind: 'size-differs',
    level: 'structure',
    change: (folder) => appendFile(join(folder, 'data.ndjson.gz'), 'x'),
  },
  {
    name: 'a byte that is another',
    kind: 'digest-differs',
    change: async (folder) => {
      const file = join(folder, 'data.ndjson.gz')
      const bytes = await readFile(file)
      bytes.writeUInt8(bytes.readUInt8(4) ^ 1, 4)
      await writeFile(file, bytes)
    },
  },
  {
    name: 'a manifest that counts a document too many',
    kind: 'documents-differ',
    change: (folder) => bend(folder, ({ documents, ...rest }) => ({ ...rest, documents: { ...(documents as object), count: 4 } })),
  },
]

it.each(tamper)('$name is the finding $kind, and the step fails with what to do', async ({ kind, change, level = 'data' }) => {
  const folder = await copyOf(good)
  await change(folder)
  await using run = await verifyWith({ inputs: { path: folder, level } })
  expect(run.kinds).toContain(kind)
  expect(run).toMatchObject({
    code: 'verification-failed',
    exitCode: 1,
    outputs: { status: 'findings', 'document-count': expect.any(String) },
  })
  expect(run.error?.title).toBe('The snapshot is not whole')
  expect(run.error?.message).toContain(`${kind}: `)
  expect(run.summary).toContain('❌ not whole')
  expect(run.summary).toContain(`- \`${kind}\`: `)
})

it('a snapshot older than max-age-hours is too old', async () => {
  const folder = await copyOf(good)
  await bend(folder, (manifest) => ({ ...manifest, takenAt: '2020-01-01T00:00:00Z' }))
  await using run = await verifyWith({ inputs: { path: folder, 'max-age-hours': '24' } })
  expect(run).toMatchObject({ code: 'verification-failed', kinds: ['too-old'] })
  expect(run.error?.title).toBe('The newest snapshot is too old')
})

it('fetch-to leaves the verified snapshot, as it was, and it can be verified in its turn', async () => {
  const to = join(ground, 'fetched')
  await using run = await verifyWith({ inputs: { path: good, 'fetch-to': to } })
  expect(run.outputs['path']).toBe(join(to, good.split('/').at(-1) ?? ''))
  const [was, left] = await Promise.all([readSnapshot({ path: join(ground, 'good') }), readSnapshot({ path: to })])
  expect({ ...left, folder: '' }).toEqual({ ...was, folder: '' })
  await using again = await verifyWith({ inputs: { path: to } })
  expect(again.outputs['status']).toBe('verified')
})

it('fetch-to leaves nothing if a finding is an error', async () => {
  const folder = await copyOf(good)
  await writeFile(join(folder, 'x.txt'), 'x')
  const to = join(ground, 'not-fetched')
  await using run = await verifyWith({ inputs: { path: folder, 'fetch-to': to } })
  expect(run).toMatchObject({ code: 'verification-failed', outputs: { path: '' } })
  expect(await readdir(to)).toEqual([])
})

it('a warning leaves the step green, and is in the outputs, the log and the summary', async () => {
  const dangling = { _id: 'd', _type: 'post', author: { _type: 'reference', _ref: 'nobody' } }
  await using sanity = await startSanity({ documents: [...threeDocuments, dangling] })
  await using backup = await backUp({ sanity }, { path: join(ground, 'dangling') })
  expect(backup.exitCode).toBe(0)
  await using run = await verifyWith({ inputs: { path: join(ground, 'dangling') } })
  expect(run).toMatchObject({ exitCode: 0, kinds: ['reference-dangling'], outputs: { status: 'verified' } })
  expect(run.findings[0]?.severity).toBe('warning')
  expect(run.warnings).toEqual([expect.stringMatching(/^reference-dangling: /)])
  expect(run.summary).toContain('⚠️ verified, 1 warning')
})

it('names of a hostile manifest do no harm', async () => {
  const folder = await copyOf(good)
  const hostile = '::error::x <b>\n|`@octocat'
  await bend(folder, (manifest) => ({ ...manifest, label: hostile, snapshot: `../${hostile}` }))
  await using run = await verifyWith({ inputs: { path: folder, 'fetch-to': join(ground, 'hostile') } })
  expect(run.code).toBe('snapshot-invalid')
  expect(run.summary).not.toContain('<b>')
})

it.each([
  { name: 'no place and no dataset', inputs: {}, says: /^project-id: is missing.*\ndataset: is missing/ },
  { name: 'two places', inputs: { path: 'x', branch: 'y' }, says: /^branch: names a second place beside `path`/ },
  { name: 'fetch-to without data', inputs: { path: 'x', level: 'structure', 'fetch-to': 'y' }, says: /^fetch-to: needs `level: data`/ },
])('$name is input-invalid', async ({ inputs, says }) => {
  await using run = await verifyWith({ inputs })
  expect(run.code).toBe('input-invalid')
  expect(run.error?.message).toMatch(says)
})

it('an input of another door is refused, and the nearest one of this door named', async () => {
  await using run = await verifyWith({ inputs: { path: good }, env: { 'INPUT_MAX-AGE-HOUR': '3' } })
  expect(run.code).toBe('input-invalid')
  expect(run.error?.message).toContain('max-age-hour: is not an input of this action. Did you mean `max-age-hours`?')
})

it('a folder without a snapshot is snapshot-missing', async () => {
  await using run = await verifyWith({ inputs: { path: join(ground, 'nothing-here') } })
  expect(run).toMatchObject({ code: 'snapshot-missing', outputs: {} })
  expect(run.summary).toContain('❌ could not look')
})

it.each(['', 'below/it'])('fetch-to in the snapshot itself is refused, and the snapshot not blamed: "%s"', async (below) => {
  const copy = await copyOf(good)
  const before = await readdir(copy, { recursive: true })
  await using run = await verifyWith({ inputs: { path: copy, 'fetch-to': join(copy, below) } })
  expect(run.code).toBe('input-invalid')
  expect(run.error?.message).toMatch(/^fetch-to: ".*" lies in the snapshot itself/)
  expect(await readdir(copy, { recursive: true })).toEqual(before)
})
