import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Answer, RecordedRequest, Turns } from '../http.ts'
import type { Dataset, DatasetOptions, Entry, SanityDocument } from './data/store.ts'
import type { Limits } from './limits.ts'
import type { StreamFault } from './read/stream.ts'
import type { Rules } from './rules.ts'
import type { Operation } from './write/transaction.ts'

export type Route =
  | 'export'
  | 'query'
  | 'doc'
  | 'mutate'
  | 'actions'
  | 'upload'
  | 'history'
  | 'asset'
  | 'acl'
  | 'project'
  | 'datasets'
  | 'aliases'
  | 'features'
  | 'me'
  | 'unknown'

export type SanityRequest = RecordedRequest & { readonly route: Route; readonly project: string | undefined; readonly dataset: string }

export type TokenOptions = {
  readonly project?: string
  readonly role?: 'viewer' | 'editor' | 'administrator' | 'contributor'
  readonly state?: 'valid' | 'expired'
  /** A custom role: a GROQ filter of the documents that it may read; nothing in an answer says that others were left out. */
  readonly filter?: string
  /** A custom role: what of that which the role may write this token may. */
  readonly may?: (operation: Operation, id: string, document: SanityDocument | undefined) => boolean
}

/**
 * What a fault does instead of, or to, the normal answer. One of `answer`, `connection`, `lost`, `result` or `stream`; `delayMs` goes with any.
 */
export type Fault = Turns & {
  readonly delayMs?: number
  /** The whole answer. */
  readonly answer?: Answer
  /** `reset`: RST before any byte. `close`: FIN before any byte. `hang`: no answer, ever. */
  readonly connection?: 'reset' | 'close' | 'hang'
  /** Mutate, actions, upload: everything is done, only nobody hears of it. */
  readonly lost?: 'reset' | 'close' | 'hang' | Answer
  /** Query: what the queries result in, one value a request, the last one for all that follow. */
  readonly results?: readonly unknown[]
  /** Export: what is wrong with the stream. */
  readonly stream?: StreamFault
  /** Export: the parameter `types` is ignored (sanity-io/sanity issue 9491). */
  readonly ignoreTypes?: boolean
  /** Export: the lines, sorted or filtered at will. */
  readonly select?: (entries: readonly Entry[]) => readonly Entry[]
  /** Only requests that fit, e.g. those with a certain cursor. */
  readonly when?: (request: SanityRequest) => boolean
}

export type SanityOptions = DatasetOptions & {
  /** The documents given beside it lie in this project and dataset. */
  readonly project?: string
  readonly dataset?: string
  /** Further datasets: project id, then dataset name. */
  readonly projects?: Readonly<Record<string, Readonly<Record<string, DatasetOptions>>>>
  /** Project of requests without `X-Sanity-Project-ID` on loopback: @sanity/export does not send it. Default: `project`. */
  readonly defaultProject?: string
  readonly tokens?: Readonly<Record<string, TokenOptions>>
  /** Documents a page in cursor mode. The real server ends a page after about 30 seconds: sanity.io docs, export. */
  readonly pageDocuments?: number
  readonly rules?: Partial<Rules>
  /** Without: no limits. {@link realLimits} are those of the real server. */
  readonly limits?: Limits
  /** Aliases of `project`, an Enterprise feature: name without `~`, then dataset. */
  readonly aliases?: Readonly<Record<string, string>>
}

export type Sanity = AsyncDisposable & {
  readonly url: string
  readonly project: string
  readonly dataset: string
  /** A valid token with the Viewer role of `project`. */
  readonly token: string
  /** A valid token with the Editor role of `project`. */
  readonly editorToken: string
  /** A valid token with the Administrator role of `project`. */
  readonly adminToken: string
  readonly requests: readonly SanityRequest[]
  of(route: Route): readonly SanityRequest[]
  count(route: Route): number
  /** Sets a fault for a route; the newest that fits wins, and it heals after `skip` + `times` requests. */
  fault(route: Route, fault: Fault): void
  /**
   * Does something right before a request is carried out, e.g. lets an editor write meanwhile: once, after `skip` requests, unless told
   * otherwise.
   */
  meanwhile(route: Route, run: () => unknown, turns?: Turns): void
  /** Writes as an editor in the Studio would; resolves to the transaction id. Throws if the server refuses. */
  edit(mutations: readonly object[], dataset?: string): Promise<string>
  /** Forgets all faults and requests, not the documents. */
  reset(): void
  /** The documents of a dataset, to look at or to change. */
  store(dataset?: string, project?: string): Dataset
  /** The server adds `_system` to all documents without a write, so that no `_rev` changes: sanity-io/sanity useDocumentVersions.tsx. */
  migrate(dataset?: string): void
  /** Stores an asset with its document, as an upload would; returns its document. */
  addAsset(upload: { kind: 'images' | 'files'; bytes: Buffer; filename?: string; oldHash?: string }): {
    readonly _id: string
    readonly url: string
  }
}

export type Caller = {
  /** Undefined: no token. */
  readonly token: TokenOptions | undefined
  readonly project: string
  readonly dataset: string
  readonly apiVersion: string
}

export type Call = {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly record: SanityRequest
  readonly caller: Caller
  readonly fault: Fault | undefined
}

export type Projects = Map<string, Map<string, Dataset>>
