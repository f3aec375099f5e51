import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { type DocumentNeeds, saveDocuments } from '../../../src/commands/documents/save.ts'
import { BackupError } from '../../../src/errors.ts'
import type { SanityApi } from '../../../src/sanity/api.ts'
import type { SnapshotFolder } from '../../../src/snapshot/workshop/workshop.ts'
import { writeData } from '../../../src/snapshot/write/data-file.ts'
import { nothingSent } from '../../support/ask.ts'
import { chunks, rejection } from '../../support/feed.ts'
import { makeTempFolder } from '../../support/process.ts'
import { stepTools } from '../backup/tools.ts'

type Answer = string | BackupError

const documents = '{"_id":"a","_type":"post"}\n{"_id":"b","_type":"post"}\n'
const short = '{"_id":"a","_type":"post"}\n'
const cut = new BackupError({ code: 'sanity-unavailable', title: 'Cut', message: 'm', hint: 'h', retry: { tries: 5, cut: true } })

/** An API that counts two documents and gives these answers to the requests for documents, one after the other. */
function apiOf(answers: Answer[]): { readonly api: SanityApi; readonly asked: string[] } {
  const asked: string[] = []
  const open: SanityApi['open'] = async (path, { query = {} }) => {
    if (path.startsWith('/data/query/')) return chunks('{"result":2}')
    asked.push('nextCursor' in query ? 'page' : 'stream')
    const answer = answers.shift()
    if (answer === undefined) throw new Error('more was asked for than expected')
    if (answer instanceof BackupError) throw answer
    return chunks(answer)
  }
  const source = { projectId: 'abc12345', dataset: 'production', apiHost: new URL('https://api.sanity.io'), apiVersion: '2025-02-19' }
  return { api: { source, open, send: nothingSent }, asked }
}

async function saving(exportMode: DocumentNeeds['exportMode'], answers: Answer[]) {
  const temp = await makeTempFolder()
  const { tools, logged } = stepTools()
  const { api, asked } = apiOf(answers)
  const folder = { path: join(temp.path, 'snapshot'), pages: join(temp.path, 'pages') } as SnapshotFolder
  for (const path of [folder.path, folder.pages]) await mkdir(path)
  const filters = { includeDrafts: true, types: [], excludeTypes: [], excludeIds: [] }
  const write: DocumentNeeds['write'] = async (lines) =>
    await writeData(folder.path, { lines, compression: 'gzip', level: 6, sealer: undefined })
  const outcome = saveDocuments({ api, token: 'skTOKEN', exportMode, filters, pagesFolder: folder.pages, intake: undefined, write }, tools)
  return { outcome, asked, logged, folder, [Symbol.asyncDispose]: async () => await temp[Symbol.asyncDispose]() }
}

describe('saving the documents', () => {
  it.each([
    { name: 'one request', mode: 'auto', answers: [documents], asked: ['stream'], by: 'stream', givenUp: false },
    {
      name: 'one more request after a short one',
      mode: 'auto',
      answers: [short, documents],
      asked: ['stream', 'stream'],
      by: 'stream',
      givenUp: false,
    },
    {
      name: 'pages after two cut requests',
      mode: 'auto',
      answers: [cut, cut, documents],
      asked: ['stream', 'stream', 'page'],
      by: 'cursor',
      givenUp: true,
    },
    {
      name: 'pages after a short and a cut request',
      mode: 'auto',
      answers: [short, cut, documents],
      asked: ['stream', 'stream', 'page'],
      by: 'cursor',
      givenUp: true,
    },
    {
      name: 'the same request after a cut',
      mode: 'stream',
      answers: [cut, cut, cut, documents],
      asked: ['stream', 'stream', 'stream', 'stream'],
      by: 'stream',
      givenUp: false,
    },
    { name: 'pages from the start', mode: 'cursor', answers: [cut, documents], asked: ['page', 'page'], by: 'cursor', givenUp: false },
  ] as const)('takes $name in mode $mode', async ({ mode, answers, asked, by, givenUp }) => {
    await using run = await saving(mode, [...answers])
    const saved = await run.outcome
    expect(run.asked).toEqual(asked)
    expect(saved).toMatchObject({ mode: by, streamGivenUp: givenUp, liveCountBefore: 2, liveCountAfter: 2, repeated: 0 })
    expect(gunzipSync(await readFile(join(run.folder.path, 'data.ndjson.gz'))).toString()).toBe(documents)
  })

  it.each([
    { mode: 'auto', answers: [short, short, short], advises: false },
    { mode: 'stream', answers: [short, short], advises: true },
    { mode: 'cursor', answers: [short, short], advises: false },
  ] as const)(
    'throws when the last way of mode $mode was short too, and advises pages where they were not tried',
    async ({ mode, answers, advises }) => {
      await using run = await saving(mode, [...answers])
      const error = (await rejection(run.outcome)) as BackupError
      expect(error).toMatchObject({ code: 'export-truncated', message: expect.stringContaining('held 1 documents where Sanity counts 2') })
      expect(error.hint.includes('try `export-mode: cursor`')).toBe(advises)
    },
  )

  it('says in the log what comes next, and why', async () => {
    await using run = await saving('auto', [short, cut, documents])
    await run.outcome
    expect(run.logged.filter((line) => line.startsWith('warning'))).toEqual([
      'warning: The export held 1 of 2 documents. It is made once more.',
      'warning: Cut: m From here on the documents are fetched page by page (`export-mode: cursor`).',
    ])
  })
})
