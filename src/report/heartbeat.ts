import { messageOf } from '../errors.ts'
import type { Tools } from '../tools.ts'

/** How long a watchdog may take to answer, in milliseconds. */
const answerMs = 10_000

/** Tells the service behind `heartbeat-url` how the run went. */
export type Watchdog = {
  /** Sends one request a run: the first call decides, later ones only wait for its answer. Never throws. */
  readonly tell: (ok: boolean) => Promise<void>
}

type WatchdogNeeds = Pick<Tools, 'http' | 'log'> & {
  readonly url: URL | undefined
  /** Cuts a request off: the process has to end. */
  readonly stop: AbortSignal
}

/** Makes the watchdog; one without a URL does nothing. */
export function makeWatchdog({ url, http, log, stop }: WatchdogNeeds): Watchdog {
  let telling: Promise<void> | undefined
  return {
    tell: async (ok) => {
      if (!url) return
      telling ??= send(ok ? url : failureUrl(url), AbortSignal.any([stop, AbortSignal.timeout(answerMs)]), { http, log })
      await telling
    },
  }
}

/** A watchdog that gives no good answer is a warning, and fails nothing. */
async function send(url: URL, signal: AbortSignal, { http, log }: Pick<Tools, 'http' | 'log'>): Promise<void> {
  try {
    const { statusCode, body } = await http(url, { signal })
    await body.dump()
    if (statusCode >= 200 && statusCode < 300) return
    log.warning(`The heartbeat URL answered ${statusCode}. The watchdog behind it may raise a false alarm: check \`heartbeat-url\`.`)
  } catch (error) {
    log.warning(`The heartbeat URL could not be requested (${messageOf(error)}). The watchdog behind it may raise a false alarm.`)
  }
}

/** `status=down` where the URL itself says `status=up` (Uptime Kuma’s push monitors), else `<url>/fail` (healthchecks.io/docs/http_api). */
function failureUrl(url: URL): URL {
  const failed = new URL(url)
  failed.search = url.search.replace(statusUp, '$1down')
  if (!statusUp.test(url.search)) failed.pathname = `${url.pathname.replace(/\/$/, '')}/fail`
  return failed
}

const statusUp = /([?&]status=)up(?=&|$)/
