import { messageOf } from '../errors.ts'
import type { Tools } from '../tools.ts'

/**
 * Tells a watchdog how the run went: the URL itself after a good one, another one after a failed one. A watchdog that cannot be told is warned of,
 * and fails nothing.
 */
export async function sendHeartbeat(
  url: URL,
  { ok, signal }: { ok: boolean; signal: AbortSignal },
  { http, log }: Pick<Tools, 'http' | 'log'>,
): Promise<void> {
  try {
    const { statusCode, body } = await http(ok ? url : failureUrl(url), { signal })
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
