import type { Sanity } from './sanity.ts'

/** Body of an answer, as far as the tests of the emulated Sanity look at it. */
export type Told = {
  readonly status: number
  readonly headers: Headers
  readonly body: {
    readonly transactionId?: string
    readonly results?: readonly { readonly id: string; readonly operation: string; readonly document?: Record<string, unknown> }[]
    readonly error?: {
      readonly type: string
      readonly items?: readonly { readonly index: number; readonly error: Record<string, unknown> }[]
    }
    readonly [key: string]: unknown
  }
}

type Options = {
  readonly dataset?: string
  readonly token?: string
  readonly query?: Readonly<Record<string, string>>
  /** More members of the body. */
  readonly members?: Readonly<Record<string, unknown>>
}

/** A request as an editor, with JSON or bytes as body. */
export async function ask(
  sanity: Sanity,
  path: string,
  {
    token = sanity.editorToken,
    query = {},
    ...init
  }: { method?: string; body?: string | Uint8Array; token?: string; query?: Readonly<Record<string, string>> } = {},
): Promise<Told> {
  const parameters = new URLSearchParams(query)
  const body = init.body === undefined ? {} : { method: 'POST', body: init.body as string }
  const headers = { authorization: `Bearer ${token}` }
  const response = await fetch(`${sanity.url}/v2025-02-19/${path}?${parameters}`, {
    headers,
    ...body,
    ...(init.method ? { method: init.method } : {}),
  })
  const text = await response.text()
  const type = response.headers.get('content-type') ?? ''
  return { status: response.status, headers: response.headers, body: type.includes('application/json') ? JSON.parse(text) : { text } }
}

export async function mutate(
  sanity: Sanity,
  mutations: readonly unknown[],
  { dataset = sanity.dataset, query, members, ...rest }: Options = {},
): Promise<Told> {
  const body = JSON.stringify({ mutations, ...members })
  return await ask(sanity, `data/mutate/${dataset}`, { ...rest, body, query: { returnIds: 'true', ...query } })
}

export async function act(
  sanity: Sanity,
  actions: readonly object[],
  { dataset = sanity.dataset, members, ...rest }: Options = {},
): Promise<Told> {
  const named = actions.map((action) => ('actionType' in action ? { ...action, actionType: `sanity.action.${action.actionType}` } : action))
  return await ask(sanity, `data/actions/${dataset}`, { ...rest, body: JSON.stringify({ actions: named, ...members }) })
}

/** What the first failed mutation is told, without its words. */
export function firstError({ status, body }: Told): object {
  const { description: _, ...error }: Record<string, unknown> = body.error?.items?.[0]?.error ?? body.error ?? {}
  return { status, ...error }
}

export const strong = (id: string) => ({ _type: 'reference', _ref: id })

/** The document as the dataset holds it. */
export const held = (sanity: Sanity, id: string) => sanity.store().find(id)
