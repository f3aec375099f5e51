import { describe, expect, it } from '@jest/globals'
import { makeWatchdog } from '../../src/report/heartbeat.ts'
import { listen } from '../doubles/http.ts'
import { makeClient } from '../support/ask.ts'

const quiet = { info: () => undefined, warning: () => undefined, debug: () => undefined, progress: () => undefined }

describe('the watchdog', () => {
  it.each([
    { ok: true, path: '/uuid?run=nightly', asked: '/uuid?run=nightly' },
    { ok: false, path: '/uuid?run=nightly', asked: '/uuid/fail?run=nightly' },
    { ok: false, path: '/uuid/', asked: '/uuid/fail' },
    { ok: true, path: '/push?status=up&msg=OK', asked: '/push?status=up&msg=OK' },
    { ok: false, path: '/push?status=up&msg=OK', asked: '/push?status=down&msg=OK' },
    { ok: false, path: '/push?x=status=up', asked: '/push/fail?x=status=up' },
  ])('of $path is asked for $asked when the run is good: $ok', async ({ ok, path, asked }) => {
    await using scene = await watchdogAt(path)
    await scene.watchdog.tell(ok)
    expect(scene.asked).toEqual([asked])
  })

  it('gets one request a run, which says what was known first', async () => {
    await using scene = await watchdogAt('/uuid')
    await Promise.all([scene.watchdog.tell(false), scene.watchdog.tell(true)])
    await scene.watchdog.tell(true)
    expect(scene.asked).toEqual(['/uuid/fail'])
  })

  it('is not waited for once the process has to end, and that is a warning', async () => {
    const stop = new AbortController()
    await using scene = await watchdogAt('/uuid', { hangs: () => stop.abort(new Error('the run had to end')), stop: stop.signal })
    await scene.watchdog.tell(true)
    expect(scene.warnings).toEqual([expect.stringContaining('could not be requested (the run had to end)')])
  })

  it('without a URL is nothing', async () => {
    await using client = makeClient()
    const never = new AbortController().signal
    expect(await makeWatchdog({ url: undefined, http: client.http, log: quiet, stop: never }).tell(true)).toBeUndefined()
  })
})

type Asking = { readonly hangs?: () => void; readonly stop?: AbortSignal }

async function watchdogAt(path: string, { hangs, stop = new AbortController().signal }: Asking = {}) {
  const asked: string[] = []
  const warnings: string[] = []
  const server = await listen((request, response) => {
    asked.push(request.url ?? '')
    if (hangs) hangs()
    else response.end('OK')
  })
  const client = makeClient()
  const log = { ...quiet, warning: (line: string) => void warnings.push(line) }
  return {
    asked,
    warnings,
    watchdog: makeWatchdog({ url: new URL(path, server.url), http: client.http, log, stop }),
    [Symbol.asyncDispose]: async () => {
      await client[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}
