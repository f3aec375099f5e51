import { messageOf } from './errors.ts'
import type { Tools } from './tools.ts'

/**
 * Tells a watchdog how the run went: the URL itself after a good one, `<url>/fail` after a failed one (healthchecks.io/docs/http_api).
 * A watchdog that cannot be told is warned of, and fails nothing.
 */
export async function sendHeartbeat(
  url: URL,
  { ok, withinMs }: { ok: boolean; withinMs: number },
  { http, log }: Pick<Tools, 'http' | 'log'>,
): Promise<void> {
  const target = new URL(url)
  if (!ok) target.pathname = `${target.pathname.replace(/\/$/, '')}/fail`
  try {
    const { statusCode, body } = await http(target, { signal: AbortSignal.timeout(withinMs) })
    await body.dump()
    if (statusCode >= 200 && statusCode < 300) return
    log.warning(`The heartbeat URL answered ${statusCode}. The watchdog behind it may raise a false alarm: check \`heartbeat-url\`.`)
  } catch (error) {
    log.warning(`The heartbeat URL could not be requested (${messageOf(error)}). The watchdog behind it may raise a false alarm.`)
  }
}
