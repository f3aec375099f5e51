import { Agent } from 'undici'
import type { Http } from '../../src/http/http.ts'
import { type SanityApi, sanityApi } from '../../src/sanity/api.ts'
import type { Source } from '../../src/sanity/source.ts'
import { stopwatch } from '../../src/stopwatch.ts'
import { httpOver } from '../../src/tools.ts'

/** One client as src/tools.ts makes it, without proxies; disposing it ends its connections. */
export type Client = AsyncDisposable & { readonly http: Http }

export function makeClient(connectMs = 5_000): Client {
  const dispatcher = new Agent({ connect: { timeout: connectMs } })
  return {
    http: httpOver(dispatcher, connectMs),
    [Symbol.asyncDispose]: async () => await dispatcher.destroy(),
  }
}

export const token = 'skUNITabcdefghijklmnopqrstuvwxyz0123456789'

export function sourceAt(url: string): Source {
  return { projectId: 'abc12345', dataset: 'production', apiHost: new URL(url), apiVersion: '2025-02-19' }
}

/** Of an API that is only read from. */
export const nothingSent: SanityApi['send'] = async () => {
  throw new Error('something was sent')
}

type Asking = { readonly signal?: AbortSignal; readonly token?: string; readonly warning?: (line: string) => void }

/** The API at an address, as the backup uses it. */
export function apiAt(
  url: string,
  { http }: Pick<Client, 'http'>,
  { signal = new AbortController().signal, token: used = token, warning = () => undefined }: Asking = {},
): SanityApi {
  return sanityApi(sourceAt(url), {
    http,
    token: used,
    userAgent: 'sanity-backup/0.0.0',
    signal,
    now: () => new Date(),
    stopwatch: stopwatch(),
    log: { warning },
  })
}
