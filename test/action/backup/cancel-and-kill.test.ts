import { randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type ArtifactRun, type Artifacts, startArtifacts } from '../../doubles/artifacts/artifacts.ts'
import { type GithubRest, startGithubRest } from '../../doubles/github/github.ts'
import { listen } from '../../doubles/http.ts'
import { answers } from '../../doubles/sanity/answers.ts'
import { type Sanity, startSanity } from '../../doubles/sanity/sanity.ts'
import { smallDisk } from '../../support/disk.ts'
import { makeTempFolder, until } from '../../support/process.ts'
import { type Running, runAction } from '../../support/runner.ts'
import { type BackupRun, backUp, checkLeaks, failureOf, readSnapshot, threeDocuments, threeLines } from '../support.ts'

let artifacts: Artifacts

beforeAll(async () => {
  artifacts = await startArtifacts()
})

afterAll(async () => await artifacts[Symbol.asyncDispose]())

type Stage = {
  readonly name: string
  /** Makes the run stand still. */
  readonly halt: (doubles: { sanity: Sanity; github: GithubRest; workflow: ArtifactRun }) => void
  /** Whether it stands still. */
  readonly reached: (doubles: { sanity: Sanity; github: GithubRest; workflow: ArtifactRun }) => boolean
}

const asked = (method: Parameters<Artifacts['of']>[0], { runId }: ArtifactRun) =>
  artifacts.of(method).some((request) => request.run === runId)

const stages: readonly Stage[] = [
  {
    name: 'GitHub is asked for the visibility',
    halt: ({ github }) => github.fault('repository', { connection: 'hang' }),
    reached: ({ github }) => github.count('repository') > 0,
  },
  {
    name: 'the documents are counted',
    halt: ({ sanity }) => sanity.fault('query', { connection: 'hang' }),
    reached: ({ sanity }) => sanity.count('query') > 0,
  },
  {
    name: 'it waits for the next try',
    halt: ({ sanity }) => sanity.fault('query', { answer: { status: 503, headers: { 'retry-after': '60' } } }),
    reached: ({ sanity }) => sanity.count('query') > 0,
  },
  {
    name: 'the export begins',
    halt: ({ sanity }) => sanity.fault('export', { connection: 'hang' }),
    reached: ({ sanity }) => sanity.count('export') > 0,
  },
  {
    name: 'the export goes on',
    halt: ({ sanity }) => sanity.fault('export', { stream: { ending: { how: 'stall', afterLines: 2 } } }),
    reached: ({ sanity }) => sanity.count('export') > 0,
  },
  {
    name: 'the access list is asked for',
    halt: ({ sanity }) => sanity.fault('acl', { connection: 'hang' }),
    reached: ({ sanity }) => sanity.count('acl') > 0,
  },
  {
    name: 'the artifact is made',
    halt: ({ workflow }) => artifacts.fault('CreateArtifact', { connection: 'hang', run: workflow.runId }),
    reached: ({ workflow }) => asked('CreateArtifact', workflow),
  },
  {
    name: 'the artifact is uploaded',
    halt: ({ workflow }) => artifacts.blobFault({ on: 'upload', connection: 'stall', run: workflow.runId }),
    reached: ({ workflow }) => asked('CreateArtifact', workflow),
  },
  {
    name: 'the artifact is finished',
    halt: ({ workflow }) => artifacts.fault('FinalizeArtifact', { delayMs: 1_000, run: workflow.runId }),
    reached: ({ workflow }) => asked('FinalizeArtifact', workflow),
  },
  {
    name: 'the artifact is read back',
    halt: ({ workflow }) => artifacts.blobFault({ on: 'download', connection: 'stall', run: workflow.runId }),
    reached: ({ workflow }) => asked('GetSignedArtifactURL', workflow),
  },
]

describe('a run that is cancelled', () => {
  it.concurrent.each(stages.flatMap((stage) => (['SIGINT', 'SIGTERM'] as const).map((signal) => ({ ...stage, signal }))))(
    'ends within five seconds and leaves nothing: $signal while $name',
    async ({ halt, reached, signal }) => {
      const workflow = artifacts.newRun()
      await using sanity = await startSanity({ documents: threeDocuments })
      await using github = await startGithubRest()
      halt({ sanity, github, workflow })
      let signalledAt = 0

      await using done = await backUp(
        { sanity, github, run: workflow },
        {
          inputs: { destination: 'artifact, directory' },
          onStart: async (running) => {
            await until(() => reached({ sanity, github, workflow }))
            await sleep(300)
            signalledAt = performance.now()
            running.signal(signal)
          },
        },
      )

      expect(performance.now() - signalledAt).toBeLessThan(5_000)
      expect(failureOf(done)).toMatchObject({ exitCode: 130, code: 'cancelled', message: expect.stringContaining(signal) })
      await sleep(1_000)
      expect(artifacts.list(workflow.runId)).toEqual([])
    },
  )

  it.concurrent('as the runner does it ends before it is killed', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })
    sanity.fault('export', { stream: { ending: { how: 'stall', afterLines: 1 } } })

    await using done = await backUp(
      { sanity },
      {
        onStart: async (running) => {
          await until(() => sanity.count('export') > 0)
          running.cancel()
        },
      },
    )

    expect(failureOf(done)).toMatchObject({ exitCode: 130, code: 'cancelled' })
    expect(done.summary).toContain('cancelled')
  })

  it.concurrent('is not asked for again when a second signal comes', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })
    sanity.fault('export', { connection: 'hang' })

    await using done = await backUp(
      { sanity },
      {
        onStart: async (running) => {
          await until(() => sanity.count('export') > 0)
          running.signal('SIGINT')
          running.signal('SIGTERM')
        },
      },
    )

    expect(failureOf(done)).toMatchObject({ exitCode: 130, code: 'cancelled' })
  })
})

describe('a run that is killed', () => {
  it.concurrent('leaves no final name behind, and does not stand in the way of the next one', async () => {
    await using folder = await makeTempFolder('killed')
    await using sanity = await startSanity({ documents: threeDocuments })
    sanity.fault('export', { times: 1, stream: { ending: { how: 'stall', afterLines: 2 } } })
    const inputs = {
      'project-id': sanity.project,
      token: sanity.token,
      'api-host': sanity.url,
      destination: 'directory',
      path: folder.path,
    }

    await using killed = await runAction({
      inputs,
      onStart: async (running) => {
        await until(() => sanity.count('export') > 0)
        await sleep(300)
        running.signal('SIGKILL')
      },
    })
    const left = await readdir(folder.path, { recursive: true })
    await checkLeaks({ ...killed, path: folder.path }, sanity.token, inputs)
    await using next = await runAction({ inputs })

    expect(killed.signal).toBe('SIGKILL')
    expect(left.filter((name) => !name.split('/')[0]!.endsWith('.partial') || name.endsWith('manifest.json'))).toEqual([])
    expect({ exitCode: next.exitCode, path: next.outputs['path'] }).toEqual({ exitCode: 0, path: expect.stringContaining(folder.path) })
  })
})

describe('the heartbeat', () => {
  const uuid = '5b1c7a52-hbeat-4c1e-9a57-0c2d8f3e6a11'

  type Watchdog = AsyncDisposable & { readonly url: string; readonly asked: readonly string[] }

  async function startWatchdog(status: number | 'hang' | 'reset' = 200): Promise<Watchdog> {
    const got: string[] = []
    const server = await listen((request, response) => {
      got.push(`${request.method} ${request.url}`)
      if (status === 'hang') return
      if (status === 'reset') return void response.socket?.resetAndDestroy()
      response.writeHead(status, { location: '/elsewhere' })
      response.end('OK')
    })
    return { url: `${server.url}/${uuid}`, asked: got, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
  }

  type Watched = { readonly before?: (sanity: Sanity) => void; readonly inputs?: Record<string, string>; readonly cancelled?: true }

  async function backUpWatched(url: string, { before, inputs = {}, cancelled }: Watched = {}): Promise<BackupRun> {
    await using sanity = await startSanity({ documents: threeDocuments })
    before?.(sanity)
    const onStart = async (running: Running) => {
      await until(() => sanity.count('export') > 0)
      running.signal('SIGINT')
    }
    await using done = await backUp({ sanity }, { inputs: { ...inputs, 'heartbeat-url': url }, ...(cancelled ? { onStart } : {}) })
    return done
  }

  it.concurrent('is sent once after a good run', async () => {
    await using watchdog = await startWatchdog()

    const { exitCode } = await backUpWatched(watchdog.url)

    expect({ exitCode, asked: watchdog.asked }).toEqual({ exitCode: 0, asked: [`GET /${uuid}`] })
  })

  it.concurrent.each([
    {
      name: 'a failed run',
      scene: { before: (sanity: Sanity) => sanity.fault('query', { answer: answers.sessionNotFound }) },
      code: 'sanity-unauthorized',
    },
    { name: 'a run with bad inputs', scene: { inputs: { 'min-documents': 'x' } }, code: 'input-invalid' },
    { name: 'a run without a token', scene: { inputs: { token: '' } }, code: 'input-invalid' },
    { name: 'a run with too few documents', scene: { inputs: { 'min-documents': '9' } }, code: 'too-few-documents' },
    {
      name: 'a cancelled run',
      scene: { cancelled: true, before: (sanity: Sanity) => sanity.fault('export', { connection: 'hang' }) },
      code: 'cancelled',
    },
  ] as const)('says /fail once after $name', async ({ scene, code }) => {
    await using watchdog = await startWatchdog()

    const done = await backUpWatched(watchdog.url, scene)

    expect({ code: done.code, asked: watchdog.asked }).toEqual({ code, asked: [`GET /${uuid}/fail`] })
  })

  it.concurrent('says /fail before the query of its URL', async () => {
    await using watchdog = await startWatchdog()

    await backUpWatched(`${watchdog.url}/?run=nightly-backup`, { inputs: { 'min-documents': '9' } })

    expect(watchdog.asked).toEqual([`GET /${uuid}/fail?run=nightly-backup`])
  })

  it.concurrent.each([
    { name: 'up into down', query: '?status=up&msg=OK&ping=', asked: '?status=down&msg=OK&ping=' },
    { name: 'up into down, wherever it stands', query: '?msg=a%20b&status=up', asked: '?msg=a%20b&status=down' },
    { name: 'nothing that only looks like it', query: '?mystatus=up&status=upper', asked: '/fail?mystatus=up&status=upper' },
  ])('turns a status of $name after a failed run', async ({ query, asked }) => {
    await using watchdog = await startWatchdog()

    await backUpWatched(`${watchdog.url}${query}`, { inputs: { 'min-documents': '9' } })

    expect(watchdog.asked).toEqual([`GET /${uuid}${asked}`])
  })

  it.concurrent('leaves a status of up as it is after a good run', async () => {
    await using watchdog = await startWatchdog()

    await backUpWatched(`${watchdog.url}?status=up&msg=OK&ping=`)

    expect(watchdog.asked).toEqual([`GET /${uuid}?status=up&msg=OK&ping=`])
  })

  it.concurrent.each(['SIGINT', 'SIGTERM'] as const)('is not taken back when %s comes while it is being sent', async (signal) => {
    await using watchdog = await startWatchdog('hang')
    await using sanity = await startSanity({ documents: threeDocuments })
    const onStart = async (running: Running) => {
      await until(() => watchdog.asked.length > 0)
      running.signal(signal)
    }

    await using done = await backUp({ sanity }, { inputs: { 'heartbeat-url': watchdog.url }, onStart })

    expect({ exitCode: done.exitCode, status: done.outputs['status'], asked: watchdog.asked }).toEqual({
      exitCode: 0,
      status: 'stored',
      asked: [`GET /${uuid}`],
    })
    // Ten seconds are what a watchdog has otherwise: a runner would have killed the process.
    expect(done.warnings).toEqual([expect.stringMatching(/heartbeat URL could not be requested/)])
  })

  it.concurrent('says /fail, and the run is cancelled, when a signal comes as all is stored', async () => {
    await using watchdog = await startWatchdog()
    await using sanity = await startSanity({ documents: threeDocuments })
    // In the very moment: a real signal would come a moment later.
    const signals = `const write = process.stdout.write.bind(process.stdout)
      process.stdout.write = (text, ...others) => {
        if (String(text).includes('Stored and read back')) process.emit('SIGINT')
        return write(text, ...others)
      }`
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(signals)}` }

    await using done = await backUp({ sanity }, { inputs: { 'heartbeat-url': watchdog.url }, env })

    expect(failureOf(done)).toMatchObject({ exitCode: 130, code: 'cancelled', message: expect.stringMatching(/is stored.*as directory/) })
    expect({ path: done.outputs['path'], asked: watchdog.asked }).toEqual({
      path: expect.stringContaining(done.path),
      asked: [`GET /${uuid}/fail`],
    })
  })

  it.concurrent('says /fail once when something breaks that nobody waits for', async () => {
    await using watchdog = await startWatchdog()
    await using sanity = await startSanity({ documents: threeDocuments })
    sanity.fault('export', { connection: 'hang' })
    const breaks = encodeURIComponent('setTimeout(() => { throw new Error("nobody waits") }, 1500)')

    await using done = await backUp(
      { sanity },
      { inputs: { 'heartbeat-url': watchdog.url }, env: { NODE_OPTIONS: `--import=data:text/javascript,${breaks}` } },
    )

    expect(failureOf(done)).toMatchObject({ exitCode: 1, code: 'unexpected', message: expect.stringContaining('nobody waits') })
    expect(watchdog.asked).toEqual([`GET /${uuid}/fail`])
  })

  it.concurrent.each([404, 500, 302, 'hang', 'reset'] as const)(
    'does not fail a good run when the watchdog answers: %s',
    async (status) => {
      await using watchdog = await startWatchdog(status)

      const { exitCode, warnings } = await backUpWatched(watchdog.url)

      expect({ exitCode, asked: watchdog.asked }).toEqual({ exitCode: 0, asked: [`GET /${uuid}`] })
      expect(warnings).toEqual([expect.stringMatching(/heartbeat URL/)])
    },
  )

  it.concurrent('does not fail a good run when nobody listens', async () => {
    const { exitCode, warnings } = await backUpWatched(`http://127.0.0.1:9/${uuid}`)

    expect(exitCode).toBe(0)
    expect(warnings).toEqual([expect.stringMatching(/heartbeat URL/)])
  })

  it.concurrent('does not delay the end of a cancelled run when the watchdog hangs', async () => {
    await using watchdog = await startWatchdog('hang')
    const startedAt = performance.now()

    const { code } = await backUpWatched(watchdog.url, {
      cancelled: true,
      before: (sanity) => sanity.fault('export', { connection: 'hang' }),
    })

    expect(code).toBe('cancelled')
    expect(performance.now() - startedAt).toBeLessThan(9_000)
  })

  it.concurrent('keeps its URL a secret, from the first line on', async () => {
    await using watchdog = await startWatchdog()

    const { masks } = await backUpWatched(watchdog.url)

    expect(masks).toContain(watchdog.url)
  })
})

describe('a clock that is set back while a run goes on', () => {
  it.concurrent('changes no duration, and no order of times', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })
    // An hour back as soon as the snapshot has its name.
    const setBack = `let asked = 0
      const Real = Date
      globalThis.Date = class extends Real {
        constructor(...given) { given.length ? super(...given) : super(Real.now() - (++asked > 3 ? 3600e3 : 0)) }
      }`
    await using done = await backUp({ sanity }, { env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(setBack)}` } })

    const { manifest } = await readSnapshot(done)
    expect(done.exitCode).toBe(0)
    expect(Date.parse(manifest.finishedAt)).toBeGreaterThanOrEqual(Date.parse(manifest.takenAt))
    expect(`${done.summary}${done.log}`).not.toMatch(/-\d+(\.\d+)? (s|min|kB|B)\b/)
  })
})

describe('a disk that is full', () => {
  it.concurrent.each([
    { name: 'for the data', randomBytes: 600_000, diskBytes: 256 * 1024 },
    // The data takes all pages of 4 KiB; the manifest gets none.
    { name: 'for the manifest only', randomBytes: 62_500, diskBytes: 64 * 1024 },
  ])('$name fails the run with what it needs and what there is, and keeps nothing', async ({ randomBytes: bytes, diskBytes }) => {
    await using disk = await smallDisk(diskBytes)
    await using sanity = await startSanity({ documents: [{ _id: 'a', _type: 'bulk', noise: randomBytes(bytes).toString('base64') }] })

    await using done = await backUp({ sanity }, { path: disk.path })

    expect(failureOf(done)).toMatchObject({
      exitCode: 1,
      code: 'disk-full',
      message: expect.stringMatching(/needs more than [\d.]+ [kM]?B.* [\d.]+ [kM]?B are free.*Hint: /s),
    })
    expect(await readdir(disk.path)).toEqual([])
    expect(sanity.count('export')).toBe(1)
  })

  it.concurrent('is large enough for what fits', async () => {
    await using disk = await smallDisk(256 * 1024)
    await using sanity = await startSanity({ documents: threeDocuments })

    await using done = await backUp({ sanity }, { path: disk.path })

    expect(done.exitCode).toBe(0)
  })
})

describe('the rights of the token', () => {
  const unknown = { fullRead: null, warnings: [] as unknown[], summary: /did not tell/ }

  it.concurrent.each([
    { name: 'of a viewer', answer: undefined, fullRead: true, warnings: [], summary: /Not in this snapshot/ },
    {
      name: 'with the filter in other spacing',
      answer: { status: 200, body: [{ filter: " _id in path('**') ", permissions: ['read'] }] },
      fullRead: true,
      warnings: [],
      summary: /Not in this snapshot/,
    },
    {
      name: 'of a custom role',
      answer: { status: 200, body: [{ filter: '_type in ["post"]', permissions: ['read'] }] },
      fullRead: false,
      warnings: [expect.stringMatching(/Viewer role/)],
      summary: /Perhaps more/,
    },
    {
      name: 'without reading',
      answer: { status: 200, body: [{ filter: '_id in path("**")', permissions: ['create'] }] },
      fullRead: false,
      warnings: [expect.stringMatching(/Viewer role/)],
      summary: /Perhaps more/,
    },
    {
      name: 'to nothing',
      answer: { status: 200, body: [] },
      fullRead: false,
      warnings: [expect.stringMatching(/Viewer role/)],
      summary: /Perhaps more/,
    },
    { name: 'that 401 does not tell', answer: answers.missingGrant, ...unknown },
    { name: 'that 403 does not tell', answer: answers.robotsNotAllowed, ...unknown },
    { name: 'that 404 does not tell', answer: { status: 404 }, ...unknown },
    { name: 'that 500 does not tell', answer: answers.internalError, ...unknown },
    { name: 'that HTML does not tell', answer: { status: 200, body: '<html>' }, ...unknown },
    { name: 'that an object does not tell', answer: { status: 200, body: {} }, ...unknown },
    { name: 'that a redirect does not tell', answer: { status: 302, headers: { location: 'http://127.0.0.1:9/' } }, ...unknown },
  ])('are in the manifest, warned of, and in the summary: those $name', async ({ answer, fullRead, warnings, summary }) => {
    await using sanity = await startSanity({ documents: threeDocuments })
    for (const given of answer ? [answer] : []) sanity.fault('acl', { answer: given })

    await using done = await backUp({ sanity })

    expect((await readSnapshot(done)).manifest.access).toEqual({ fullRead })
    expect(done.warnings).toEqual(warnings)
    expect(done.summary).toMatch(summary)
  })

  it.concurrent('that see only a part are found out by no count', async () => {
    const token = 'skPARTIAL0123456789abcdefghijklmnop'
    await using sanity = await startSanity({ documents: threeDocuments, tokens: { [token]: { filter: '_type == "post"' } } })

    await using done = await backUp({ sanity }, { inputs: { token } })

    expect((await readSnapshot(done)).manifest).toMatchObject({ access: { fullRead: false }, documents: { count: 2, liveCountBefore: 2 } })
    expect(done.warnings).toEqual([expect.stringMatching(/Viewer role/)])
  })
})

describe('a dataset that holds the token itself', () => {
  it.concurrent('in a field is backed up unchanged, with a warning to revoke it', async () => {
    await using plain = await startSanity()
    await using sanity = await startSanity({ documents: [...threeDocuments, { _id: 'leak', _type: 'settings', key: plain.token }] })

    await using done = await backUp({ sanity })

    expect((await readSnapshot(done)).lines).toEqual([...threeLines, `{"_id":"leak","_type":"settings","key":"${plain.token}"}`])
    expect(done.warnings).toEqual([expect.stringMatching(/token itself.*Delete that token/)])
  })

  it.concurrent('as a type does not bring it into the manifest or the summary', async () => {
    await using plain = await startSanity()
    await using sanity = await startSanity({ documents: [...threeDocuments, { _id: 'leak', _type: plain.token }] })

    // That it is nowhere is checked for every run.
    await using done = await backUp({ sanity })

    expect(done.exitCode).toBe(0)
    expect(done.warnings).toEqual([expect.stringMatching(/token itself/)])
  })

  it.concurrent('twice, as an id, fails without telling it', async () => {
    await using plain = await startSanity()
    const document = { _id: plain.token, _type: 'post' }
    await using sanity = await startSanity({ documents: [document, document] })

    await using done = await backUp({ sanity })

    expect(failureOf(done)).toMatchObject({ exitCode: 1, code: 'export-invalid' })
  })
})

describe('hostile text', () => {
  const hostile: readonly string[] = [
    '::error::forged',
    '\n::error::forged',
    '\r\n::set-output name=status::forged',
    '\u2028::error::forged',
    '::stop-commands::forged',
    '::add-mask::e',
    '##[error]forged',
    '##[set-env name=PATH]forged',
    '##vso[task.setvariable]forged',
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '[forged](https://evil.example)',
    '![forged](https://evil.example/x.png)',
    '| forged | row |',
    '```\n# forged',
    '"\n  "forged" : 1000',
    '`code`',
    '@everyone',
    'https://evil.example',
    '\u202eforged\u202c',
    '\u001b[31mforged\u001b[0m\u001b]8;;https://evil.example\u0007',
    '\u0000\u0008\u007f',
    '%0A::error::forged',
    '$(forged)',
    'a'.repeat(10_000),
  ]

  /** Control characters but tab and line feed, marks of direction, line separators. */
  const invisible = /[^\P{Cc}\n\t]|\p{Bidi_Control}|[\u2028\u2029]/u

  /** What the summary must not hold, as it is; the runner's commands are checked for every run. */
  function checkSummary(summary: string): void {
    expect(summary).not.toMatch(/<script|<img|[^\\]\]\(https|(?<!\\)!\[|https:\/\/evil/)
    expect(summary).not.toMatch(invisible)
    expect(summary).not.toMatch(/^# forged|(^|[^&#;\d])@everyone/m)
    expect(summary.match(/^```/gm)?.length ?? 0).toBe(4 * Number(summary.includes('### Restore it')))
  }

  it.concurrent('as types and ids does nothing, and every document counts', async () => {
    const documents = hostile.map((text) => ({ _id: `id ${text}`, _type: text, title: text }))
    await using sanity = await startSanity({ documents })

    await using done = await backUp({ sanity })

    const { manifest, lines } = await readSnapshot(done)
    checkSummary(done.summary)
    const { byType } = manifest.documents
    expect(Object.keys(byType).filter((type) => /^\s*::|##\[|\p{Cc}/u.test(type))).toEqual([])
    expect(Object.values(byType).reduce((sum, count) => sum + count, 0)).toBe(hostile.length)
    expect(lines).toEqual(documents.map((document) => JSON.stringify(document)))
  })

  it.concurrent('as a single type stays inside its line of the chart', async () => {
    await Promise.all(
      hostile.slice(9, 17).map(async (text) => {
        await using sanity = await startSanity({ documents: [{ _id: 'x', _type: text }] })
        await using done = await backUp({ sanity })
        checkSummary(done.summary)
        expect(done.summary).toMatch(/```mermaid\npie showData title Documents by type\n {2}"[^"\n]+" : 1\n```/)
      }),
    )
  })

  it.concurrent.each(['query', 'export'] as const)('in an error of the %s route does nothing', async (route) => {
    await using sanity = await startSanity({ documents: threeDocuments })
    sanity.fault(route, { answer: { status: 403, body: { error: 'Forbidden', message: hostile.slice(0, -1).join(' \n') } } })

    await using done = await backUp({ sanity })

    checkSummary(done.summary)
    expect(failureOf(done)).toMatchObject({
      exitCode: 1,
      code: 'sanity-forbidden',
      message: expect.not.stringMatching(invisible),
    })
    expect(done.log).not.toMatch(invisible)
  })

  it.concurrent('in an error line of the stream does nothing', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })
    sanity.fault('export', { stream: { last: [JSON.stringify({ error: { description: hostile.slice(0, -1).join('\n') } })] } })

    await using done = await backUp({ sanity })

    checkSummary(done.summary)
    expect(failureOf(done)).toMatchObject({ exitCode: 1, code: 'export-rejected' })
    expect(done.log).not.toMatch(invisible)
  })

  const encodings: readonly { readonly name: string; readonly encode: (token: string) => string }[] = [
    { name: 'raw', encode: (token) => token },
    { name: 'base64', encode: (token) => Buffer.from(token).toString('base64') },
    { name: 'base64 behind one character', encode: (token) => Buffer.from(`:${token}`).toString('base64') },
    { name: 'base64 behind two characters', encode: (token) => Buffer.from(`x:${token}`).toString('base64') },
    { name: 'base64url', encode: (token) => Buffer.from(token).toString('base64url') },
    { name: 'hexadecimal', encode: (token) => Buffer.from(token).toString('hex') },
    { name: 'cut off', encode: (token) => `${token.slice(0, 20)}…` },
    { name: 'in a header', encode: (token) => `Authorization: Bearer ${token}` },
    { name: 'split by an invisible character', encode: (token) => `${token.slice(0, 30)}\u200b${token.slice(30)}` },
  ]

  // That it is nowhere is checked for every run.
  it.concurrent.each(encodings)('that echoes the token is told without it: $name', async ({ encode }) => {
    await using sanity = await startSanity({ documents: threeDocuments })
    const echo = encode(sanity.token)
    sanity.fault('query', { answer: { status: 401, body: { error: 'Unauthorized', message: `Bad token ${echo}, said the server` } } })

    await using done = await backUp({ sanity }, { env: { RUNNER_DEBUG: '1' } })

    expect(failureOf(done)).toMatchObject({ exitCode: 1, code: 'sanity-unauthorized', message: expect.stringContaining('Bad token') })
    expect(done.error?.message).toContain('said the server')
  })

  it.concurrent('that echoes the token in an address or a stream is told without it', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })
    const location = `https://login.example/?token=${sanity.token}`
    sanity.fault('query', { times: 1, answer: { status: 503, body: `upstream failed for ${sanity.token}` } })
    sanity.fault('export', { answer: { status: 302, headers: { location } } })

    await using done = await backUp({ sanity })

    expect(failureOf(done)).toMatchObject({ exitCode: 1, message: expect.stringContaining('login.example') })
  })

  it.concurrent('of 10 MB is cut short, at once', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })
    sanity.fault('query', { answer: { status: 403, body: `Blocked ${'x'.repeat(10_000_000)}` } })

    await using done = await backUp({ sanity })

    expect(failureOf(done)).toMatchObject({ exitCode: 1, code: 'sanity-forbidden', message: expect.stringContaining('Blocked') })
    expect(done.stdout.length).toBeLessThan(10_000)
  })

  it.concurrent('that never ends does not keep a failed run waiting', async () => {
    await using server = await listen((_, response) => {
      response.writeHead(403)
      response.write('Blocked')
    })
    await using sanity = await startSanity()

    await using done = await backUp({ sanity }, { inputs: { 'api-host': server.url } })

    expect(failureOf(done)).toMatchObject({ exitCode: 1, code: 'sanity-forbidden' })
    expect(done.durationMs).toBeLessThan(12_000)
  })
})
