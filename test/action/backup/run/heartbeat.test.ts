import { describe, expect, it } from '@jest/globals'
import { listen } from '../../../doubles/http.ts'
import { answers } from '../../../doubles/sanity/answers.ts'
import { type Sanity, startSanity } from '../../../doubles/sanity/sanity.ts'
import { until } from '../../../support/process.ts'
import { RUNNER_TERM_MS, type Running } from '../../../support/runner/runner.ts'
import { type BackupRun, backUp, failureOf, threeDocuments } from '../../support.ts'

describe('the heartbeat', () => {
  const uuid = '5b1c7a52-hbeat-4c1e-9a57-0c2d8f3e6a11'

  type Watchdog = AsyncDisposable & { readonly url: string; readonly asked: readonly string[]; readonly askedAt: () => number }

  async function startWatchdog(status: number | 'hang' | 'reset' = 200): Promise<Watchdog> {
    const got: string[] = []
    let askedAt = 0
    const server = await listen((request, response) => {
      got.push(`${request.method} ${request.url}`)
      askedAt = performance.now()
      if (status === 'hang') return
      if (status === 'reset') return void response.socket?.resetAndDestroy()
      response.writeHead(status, { location: '/elsewhere' })
      response.end('OK')
    })
    return { url: `${server.url}/${uuid}`, asked: got, askedAt: () => askedAt, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
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
    const breaks = encodeURIComponent('process.on("SIGUSR2", () => { throw new Error("nobody waits") })')

    await using done = await backUp(
      { sanity },
      {
        inputs: { 'heartbeat-url': watchdog.url },
        nodeArguments: ['--import', `data:text/javascript,${breaks}`],
        onStart: async ({ child }) => {
          await until(() => sanity.count('export') > 0)
          child.kill('SIGUSR2')
        },
      },
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

    const { code } = await backUpWatched(watchdog.url, {
      cancelled: true,
      before: (sanity) => sanity.fault('export', { connection: 'hang' }),
    })

    expect(code).toBe('cancelled')
    // After a cancellation the runner kills within ten seconds.
    expect(performance.now() - watchdog.askedAt()).toBeLessThan(RUNNER_TERM_MS)
  })

  it.concurrent('keeps its URL a secret, from the first line on', async () => {
    await using watchdog = await startWatchdog()

    const { masks } = await backUpWatched(watchdog.url)

    expect(masks).toContain(watchdog.url)
  })
})
