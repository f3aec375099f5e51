import { setTimeout } from 'node:timers/promises'
import { type Answer, readBody, send } from '../../http.ts'
import { findToken, readableIds } from '../access.ts'
import { answers } from '../answers.ts'
import { assetAnswer } from '../assets/assets.ts'
import { evaluateGroq, inPerspective, isPublicId } from '../data/groq.ts'
import { type Dataset, type Entry, entryOf, type SanityDocument } from '../data/store.ts'
import type { Call, Caller, TokenOptions } from '../types.ts'
import { sendStream } from './stream.ts'

export async function exportDataset({ record, response, caller, fault }: Call, store: Dataset, pageDocuments: number): Promise<void> {
  const types = record.query['types'] && !fault?.ignoreTypes ? record.query['types'].split(',') : undefined
  if (store.generated) return await sendStream(response, generatedLines(store.generated, types, caller), fault?.stream ?? {})
  const readable = await readableIds(caller, store)
  const visible = store.entries.filter(({ id, type }) => (id === undefined ? true : readable(id) && (types?.includes(type ?? '') ?? true)))
  const entries = fault?.select?.(visible) ?? visible
  const cursor = record.query['nextCursor']
  if (cursor === undefined) return await sendStream(response, linesOf(entries), fault?.stream ?? {})
  const start = cursor === '' ? 0 : Number(Buffer.from(cursor, 'base64url').toString())
  if (!Number.isInteger(start)) {
    return send(response, { status: 400, body: { statusCode: 400, error: 'Bad Request', message: 'Invalid cursor' } })
  }
  // The last line of a page has the cursor, the last page has none: @sanity/export getDocumentCursorStream.ts.
  const page = linesOf(entries.slice(start, start + pageDocuments))
  const next = start + pageDocuments
  const more = next < entries.length ? [Buffer.from(JSON.stringify({ nextCursor: Buffer.from(String(next)).toString('base64url') }))] : []
  await sendStream(response, [...page, ...more], fault?.stream ?? {})
}

/** A list, and no generator: for a content-length the lines are gone through twice. */
function linesOf(entries: readonly Entry[]): Buffer[] {
  return entries.map(({ line }) => line)
}

async function* generatedLines({ lines }: NonNullable<Dataset['generated']>, types: readonly string[] | undefined, { token }: Caller) {
  for await (const raw of lines()) {
    const line = typeof raw === 'string' ? Buffer.from(raw) : raw
    if (types || !token) {
      const { document } = entryOf(line)
      if (document && !(types?.includes(document._type) ?? true)) continue
      if (document && !token && !isPublicId(document._id)) continue
    }
    yield line
  }
}

/** `{query, result, ms}` and the default perspective by API version: @sanity/client data/dataMethods.ts; sanity.io docs, perspectives. */
export async function queryAnswer(
  { request, record, caller }: Call,
  store: Dataset,
  forced: { readonly value: unknown } | undefined,
): Promise<Answer> {
  const { query, params } = request.method === 'POST' ? parseQueryBody(await readBody(request)) : parseQueryString(record.query)
  const echo = record.query['returnQuery'] === 'false' ? {} : { query }
  const found = (result: unknown): Answer => ({
    status: 200,
    headers: { 'ratelimit-limit': '500' },
    body: { ...echo, result, syncTags: ['s1:double'], ms: 3 },
  })
  if (forced) return found(forced.value)
  const counts = /^\s*count\(/.test(query)
  if (store.generated && counts) return found(store.generated.count)
  const modern = caller.apiVersion === 'X' || (caller.apiVersion !== '1' && caller.apiVersion >= '2025-02-19')
  const perspective = record.query['perspective'] ?? (modern ? 'published' : 'raw')
  const readable = await readableIds(caller, store)
  const documents = (store.compact && counts ? stubsOf(store) : store.indexed()).filter(({ _id }) => readable(_id))
  try {
    return found(await evaluateGroq(query, inPerspective(documents, perspective), params))
  } catch (error) {
    if (!Error.isError(error) || error.name !== 'GroqSyntaxError') throw error
    const start = 'position' in error ? error.position : 0
    const description = error.message
    return { status: 400, body: { error: { type: 'queryParseError', description, query, start, end: start } } }
  }
}

/** What a count by id and type needs of a dataset that is too large to be parsed for it. */
function stubsOf(store: Dataset): SanityDocument[] {
  return store.entries.flatMap(({ id, type }) => (id === undefined || type === undefined ? [] : { _id: id, _type: type }))
}

function parseQueryString(query: Readonly<Record<string, string>>): { query: string; params: Record<string, unknown> } {
  const params = Object.entries(query).filter(([key]) => key.startsWith('$'))
  return { query: query['query'] ?? '', params: Object.fromEntries(params.map(([key, value]) => [key.slice(1), JSON.parse(value)])) }
}

function parseQueryBody(body: Buffer): { query: string; params: Record<string, unknown> } {
  const { query, params = {} } = JSON.parse(body.toString()) as { query: string; params?: Record<string, unknown> }
  return { query, params }
}

/** `{documents, omitted: [{id, reason}]}`, without the documents for `excludeContent`: sanity-io/sanity core/preview/availability.ts. */
export async function docAnswer({ caller, record }: Call, store: Dataset): Promise<Answer> {
  const readable = await readableIds(caller, store)
  const ids = decodeURIComponent(record.path.split('/').at(-1) ?? '').split(',')
  const omitted = ids.flatMap((id) => {
    if (!store.has(id)) return [{ id, reason: 'existence' }]
    return readable(id) ? [] : [{ id, reason: 'permission' }]
  })
  const found = record.query['excludeContent'] === 'true' ? [] : ids.filter((id) => store.has(id) && readable(id))
  // The bytes as they are stored, else numbers would lose digits.
  const documents = found.map((id) => store.lineOf(id)?.toString()).join(',')
  const body = `{"documents":[${documents}],"omitted":${JSON.stringify(omitted)}}`
  return { status: 200, headers: { 'content-type': 'application/json; charset=utf-8' }, body }
}

/** Project host `/data/history/{dataset}/transactions[/ids]` and `/documents/{ids}`; wants the permission `history`, which all roles have. */
export function historyAnswer({ caller, record }: Call, store: Dataset): Answer {
  if (!caller.token) return answers.insufficientPermissions
  const [, kind = '', list = ''] = /\/data\/history\/[^/]+\/(transactions|documents)(?:\/([^/]*))?$/.exec(record.path) ?? []
  const ids = list === '' ? [] : decodeURIComponent(list).split(',')
  if (kind === 'transactions') return store.history.transactionsAnswer(ids, record.query)
  if (kind === 'documents') return store.history.documentsAnswer(ids, record.query, (id) => store.lineOf(id))
  return { status: 404, body: { statusCode: 404, error: 'Not Found', message: 'Not Found' } }
}

export function sendAsset({ record, request, response, fault }: Call, store: Dataset, tokens: ReadonlyMap<string, TokenOptions>): void {
  const asset = store.assets.get(record.path)
  if (!asset || (asset.goneAt ?? Number.POSITIVE_INFINITY) <= Date.now()) {
    return send(response, { status: 404, headers: { 'content-type': 'text/plain' }, body: 'Not found' })
  }
  const raw = record.query['dlRaw'] === 'true'
  const token = findToken(tokens, request)
  if (raw && (token === 'none' || token === 'unknown')) return send(response, answers.sessionNotFound)
  const whole = assetAnswer(asset, raw)
  if (!fault?.stream) return send(response, whole)
  const body = Buffer.isBuffer(whole.body) ? whole.body : Buffer.alloc(0)
  const cut = body.subarray(0, fault.stream.ending?.afterBytes ?? body.length)
  response.writeHead(200, { ...whole.headers, 'content-length': String(body.length), ...fault.stream.headers })
  response.write(cut, () => setTimeout(20).then(() => (fault.stream?.ending?.how === 'stall' ? undefined : response.socket?.destroy())))
}
