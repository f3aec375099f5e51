import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { holdSnapshot } from '../../../src/commands/restore/source.ts'
import { openPlace } from '../../../src/commands/verify/place.ts'
import type { RestoreInputs } from '../../../src/inputs/restore.ts'
import { parseRunner } from '../../../src/runner.ts'
import { rejection } from '../../support/feed.ts'
import { makeTempFolder } from '../../support/process.ts'
import { stepTools } from '../backup/tools.ts'
import { writeSnapshot } from './snapshots.ts'

let temp: Awaited<ReturnType<typeof makeTempFolder>>
let there: string

beforeEach(async () => {
  temp = await makeTempFolder('source')
  there = join(temp.path, 'there')
})

afterEach(async () => await temp[Symbol.asyncDispose]())

type Asked = { readonly source?: Partial<RestoreInputs['source']>; readonly at?: string }

/** Holds the snapshot for a restore into production of abc12345. */
async function hold({ source, at }: Asked = {}) {
  const { tools } = stepTools()
  const inputs = {
    which: { place: { kind: 'directory', path: there }, at: at === undefined ? undefined : new Date(at), githubToken: '' },
    source: { projectId: undefined, dataset: undefined, ...source },
    target: { projectId: 'abc12345', dataset: 'production' },
  } as unknown as RestoreInputs
  using workshop = await openPlace({ path: temp.path, name: 'restore', of: 'RUNNER_TEMP' }, tools)
  return await holdSnapshot(inputs, { runner: parseRunner({}), workshop: workshop.folder }, tools)
}

const [one] = [{ _id: 'a', _type: 'post' }]

describe('the snapshot that comes back, out of a folder', () => {
  it('is the target’s where there are several', async () => {
    for (const dataset of ['aaa', 'production', 'zzz']) await writeSnapshot(there, { dataset })
    expect((await hold()).manifest.source.dataset).toBe('production')
  })

  it('is of the only other dataset there, the newest one', async () => {
    for (const takenAt of ['2026-11-18T03:00:00Z', '2026-11-20T03:00:00Z', '2026-11-19T03:00:00Z']) {
      await writeSnapshot(there, { dataset: 'staging', takenAt })
    }
    expect((await hold()).manifest).toMatchObject({ source: { dataset: 'staging' }, takenAt: '2026-11-20T03:00:00Z' })
  })

  it('is the one that is named', async () => {
    for (const dataset of ['production', 'staging']) await writeSnapshot(there, { dataset })
    expect((await hold({ source: { dataset: 'staging' } })).manifest.source.dataset).toBe('staging')
  })

  it('is no guess between others: the error names the inputs', async () => {
    for (const dataset of ['staging', 'testing']) await writeSnapshot(there, { dataset })
    expect(await rejection(hold())).toMatchObject({ code: 'input-invalid', hint: expect.stringContaining('`source-dataset`') })
  })

  it('is not another one than that which is named', async () => {
    await writeSnapshot(there, { dataset: 'staging' })
    expect(await rejection(hold({ source: { dataset: 'testing' } }))).toMatchObject({ code: 'snapshot-invalid' })
  })

  it('is never that of another dataset because the target’s own is broken, be it the newer or the older one', async () => {
    await writeSnapshot(there, { dataset: 'staging', takenAt: '2026-11-21T03:00:00Z' })
    const broken = await writeSnapshot(there)
    await writeFile(join(broken, 'manifest.json'), '{"format":')
    expect(await rejection(hold())).toMatchObject({ code: 'snapshot-invalid' })
    expect(await rejection(hold({ at: '2026-11-22' }))).toMatchObject({ code: 'snapshot-missing' })
  })

  it('is never that of another dataset because the target’s own is too new', async () => {
    await writeSnapshot(there, { dataset: 'staging', takenAt: '2026-11-18T03:00:00Z' })
    await writeSnapshot(there)
    expect(await rejection(hold({ at: '2026-11-19' }))).toMatchObject({
      code: 'snapshot-missing',
      message: expect.stringContaining('2026-11-20T03:00:00Z'),
    })
  })
})

describe('a snapshot that is not whole', () => {
  it.each<{ what: string; damage: (folder: string) => Promise<void>; kind: string }>([
    { what: 'without its data file', damage: async (folder) => await rm(join(folder, 'data.ndjson.gz')), kind: 'file-missing' },
    {
      what: 'with a changed byte',
      damage: async (folder) => {
        const file = join(folder, 'data.ndjson.gz')
        const bytes = await readFile(file)
        bytes[4] = (bytes[4] ?? 0) ^ 1
        await writeFile(file, bytes)
      },
      kind: 'digest-differs',
    },
    {
      what: 'whose manifest counts otherwise',
      damage: async (folder) => {
        const file = join(folder, 'manifest.json')
        await writeFile(file, (await readFile(file, 'utf8')).replace(/"count":\s*1/, '"count":2'))
      },
      kind: 'documents-differ',
    },
  ])('$what is not restored, and the finding is named', async ({ damage, kind }) => {
    await damage(await writeSnapshot(there, { documents: one ? [one] : [] }))
    expect(await rejection(hold())).toMatchObject({ code: 'verification-failed', message: expect.stringContaining(`${kind}: `) })
  })

  it('since nobody here can open it, is not restored', async () => {
    await writeSnapshot(there, { change: { encryption: { format: 'age/v1', recipients: ['age1unit'] } } })
    expect(await rejection(hold())).toMatchObject({ code: 'snapshot-locked', hint: expect.stringContaining('`identity`') })
  })

  it('since it is a shard without documents, is not restored', async () => {
    const files: [] = []
    await writeSnapshot(there, { change: { shard: { index: 2, of: 2 }, files } })
    expect(await rejection(hold())).toMatchObject({ code: 'verification-failed', message: expect.stringContaining('shard-missing') })
  })
})
