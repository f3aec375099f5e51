import { BackupError } from '../errors.ts'
import { type Deadlines, guarded } from '../http/body.ts'
import { findEncoding, type Http, type HttpAnswer, ignoreLateErrors } from '../http/http.ts'
import { readShort } from '../http/short-answer.ts'
import type { Stopwatch } from '../stopwatch.ts'
import { cutAnswer } from './api.ts'
import { errorOfAnswer } from './errors/answer.ts'
import { networkError, streamError } from './errors/network.ts'
import { defaultHost, type Source } from './source.ts'

/** The file of an asset, as its document describes it. `url` comes from outside. */
type AssetFile = { readonly kind: 'image' | 'file'; readonly url: string }

/** What the asset host says about the bytes that it has stored, in lower-case hexadecimal digits. */
export type Claims = { readonly md5: string | undefined; readonly sha1: string | undefined }

/**
 * Why a file cannot be had, by what helps: it is gone from Sanity, the token may not read it, its document leads nowhere, it has no name, nothing
 * proves its bytes, or the host had trouble.
 */
export type Lack = 'file' | 'right' | 'address' | 'name' | 'proof' | 'answer'

/** How a request for an asset ended. `status` is 0 if there was no answer, or no request. */
export type AssetAnswer =
  | { readonly kind: 'found'; readonly status: number; readonly claims: Claims; readonly body: AsyncIterable<Buffer> }
  /** No further request can change that. */
  | { readonly kind: 'refused'; readonly status: number; readonly lack: Lack; readonly why: string }
  /** Another request may do better, if the error says so. */
  | { readonly kind: 'failed'; readonly status: number; readonly error: BackupError }

export type AssetHost = { readonly ask: (asset: AssetFile, method: 'GET' | 'HEAD') => Promise<AssetAnswer> }

type Means = { readonly http: Http; readonly token: string; readonly userAgent: string; readonly signal: AbortSignal }

/** Where Sanity keeps the files of assets: `@sanity/export` src/AssetHandler.ts; the second one belongs to Sanity's staging. */
const assetHosts: ReadonlySet<string> = new Set(['https://cdn.sanity.io', 'https://cdn.sanity.work'])

/** Sanity's own exporter waits three minutes for everything; a file on a CDN that is silent for one will not come. */
const assetDeadlines: Deadlines = { firstByteMs: 60_000, idleMs: 60_000, drip: { windowMs: 120_000, leastBytes: 12_000 } }

/** Where the document of an asset says that its file is; both come from outside, and may be anything. */
type Whereabouts = { readonly url: unknown; readonly path: unknown }

/**
 * The address of an asset's file: its `url`, or one made from its `path` where that is missing or leads to another host, such as a name of one's
 * own for Sanity's CDN. If there is no such path either, the `url` as it is, which nobody is asked for; empty if there is none.
 */
export function assetAddress(source: Source, { url, path }: Whereabouts): string {
  const given = typeof url === 'string' ? url : ''
  if (findHostedUrl(source, given) || typeof path !== 'string' || !pathRule.test(path)) return given
  return `${ownOrigin(source) ?? 'https://cdn.sanity.io'}/${path}`
}

/** `images/<project>/<dataset>/<file>` */
const pathRule = /^(images|files)\/[A-Za-z0-9_-]{1,64}\/[A-Za-z0-9_-]{1,64}\/[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/

/** The given API host, if it is not the usual one: it keeps the files of assets too. */
function ownOrigin({ apiHost }: Source): string | undefined {
  return apiHost.host === defaultHost ? undefined : apiHost.origin
}

/** The address as a URL, if it leads to where files of assets are kept. */
function findHostedUrl(source: Source, address: string): URL | undefined {
  const url = URL.parse(address)
  if (!url || url.username || url.password) return undefined
  // A `blob:` url has the origin of the one inside it.
  return url.protocol.startsWith('http') && (assetHosts.has(url.origin) || url.origin === ownOrigin(source)) ? url : undefined
}

/**
 * Makes the way to the files of assets. Throws only the signal's reason, also from a body, which else throws what {@link guarded} does.
 *
 * Only Sanity's asset hosts are asked, over https, and the given API host if it is not the usual one; no redirect is followed. Images are asked
 * for with `dlRaw=true` and the token: without it the host gives a processed file (sanity-io/sanity pull request 1291). Nothing else needs the
 * token, so nothing else gets it.
 */
export function assetHost(source: Source, { http, token, userAgent, signal }: Means): AssetHost {
  return {
    ask: async ({ kind, url: text }, method) => {
      const url = findHostedUrl(source, text)
      if (!url) return { kind: 'refused', status: 0, lack: 'address', why: 'neither its url nor its path leads to Sanity’s asset host' }
      if (kind === 'image') url.searchParams.set('dlRaw', 'true')
      const headers = { 'user-agent': userAgent, accept: '*/*', 'accept-encoding': 'identity' }
      try {
        const answer = await http(url, {
          method,
          headers: kind === 'image' ? { ...headers, authorization: `Bearer ${token}` } : headers,
          headersTimeout: assetDeadlines.firstByteMs,
          bodyTimeout: assetDeadlines.idleMs,
          signal,
        })
        ignoreLateErrors(answer)
        return await answered(answer, { url, source, signal })
      } catch (error) {
        if (signal.aborted) throw signal.reason
        return { kind: 'failed', status: 0, error: networkError(error, url, assetDeadlines) }
      }
    },
  }
}

/** Many files come at the same time: how long each was waited for adds up to nothing that anybody waited for. */
const noStopwatch: Pick<Stopwatch, 'during'> = { during: async (_, work) => await work() }

type Asked = { readonly url: URL; readonly source: Source; readonly signal: AbortSignal }

async function answered({ statusCode: status, headers, body }: HttpAnswer, { url, source, signal }: Asked): Promise<AssetAnswer> {
  const what = 'the file of an asset'
  if (status === 200 && findEncoding(headers) !== undefined) {
    body.destroy()
    return { kind: 'refused', status, lack: 'answer', why: 'the asset host sent it in a content encoding, though none was asked for' }
  }
  if (status === 200) {
    const claims = { md5: hexIn(headers['x-sanity-md5']), sha1: hexIn(headers['x-sanity-sha1']) }
    const toError = (error: unknown) => streamError(error, { url, deadlines: assetDeadlines, what, cut: cutAnswer })
    return { kind: 'found', status, claims, body: guarded(body, { deadlines: assetDeadlines, signal, stopwatch: noStopwatch, toError }) }
  }
  const error = errorOfAnswer({ status, headers, body: await readShort(body), source, what, url })
  return error.retry.tries > 1
    ? { kind: 'failed', status, error }
    : { kind: 'refused', status, lack: lackOf(status), why: `the asset host answered ${status}` }
}

function lackOf(status: number): Lack {
  if (status === 404 || status === 410) return 'file'
  return status === 401 || status === 403 ? 'right' : 'answer'
}

function hexIn(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && /^[0-9a-f]+$/i.test(header) ? header.toLowerCase() : undefined
}

/** The error for a file that came to its end and is not the one that was uploaded. */
export function wrongBytes(): BackupError {
  return new BackupError({
    code: 'sanity-unavailable',
    title: 'The asset host sent other bytes than were uploaded',
    message: 'Neither the SHA-1 of the asset nor what the asset host says of the file that has its name fits what came.',
    hint: 'Run the backup again. If it comes back, check that no proxy changes the data, and show this message to Sanity support.',
    retry: { tries: 4 },
  })
}

/** The error for a file that goes on far behind the end that its document says. */
export function tooManyBytes(): BackupError {
  return new BackupError({
    code: 'sanity-unavailable',
    title: 'The asset host sent more than the file can have',
    message: 'More than four times the size that the document of the asset says came, so the rest was not fetched.',
    hint: 'Look at the field `size` of the asset’s document. If it is right, check that no proxy changes the data, and show this message to Sanity support.',
    retry: { tries: 2 },
  })
}
