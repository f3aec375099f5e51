import type { IncomingMessage } from 'node:http'
import type { Answer } from '../http.ts'
import { acls, answers } from './answers.ts'
import { evaluateGroq, isPublicId } from './data/groq.ts'
import type { Dataset } from './data/store.ts'
import type { Rules } from './rules.ts'
import type { Caller, Projects, Route, TokenOptions } from './types.ts'
import { mutationFailed, notPermitted } from './write/errors.ts'
import type { Writer } from './write/transaction.ts'

export type FoundToken = TokenOptions | 'none' | 'unknown'

export function findToken(tokens: ReadonlyMap<string, TokenOptions>, request: IncomingMessage): FoundToken {
  const { authorization } = request.headers
  if (!authorization) return 'none'
  return tokens.get(/^Bearer (.*)$/.exec(authorization)?.[1] ?? '') ?? 'unknown'
}

export function denial(
  token: FoundToken,
  project: string,
  { projects, defaultProject }: { projects: ReadonlyMap<string, unknown>; defaultProject: string },
): Answer | undefined {
  if (token === 'none') return undefined
  if (token === 'unknown') return answers.sessionNotFound
  if (token.state === 'expired') return answers.sessionExpired
  const foreign = (token.project ?? defaultProject) !== project
  return foreign && projects.has(project) ? answers.wrongProject : undefined
}

/** No token: what is public, and nothing of a private dataset, without an error (sanity.io docs, export; sanity.io/answers). */
export async function readableIds({ token }: Caller, store: Dataset): Promise<(id: string) => boolean> {
  if (!token) return store.aclMode === 'public' ? isPublicId : () => false
  if (!token.filter) return () => true
  const ids = new Set((await evaluateGroq(`*[${token.filter}]._id`, store.documents(), {})) as string[])
  return (id) => ids.has(id)
}

/** INFERRED from the shape that the assets layer has for other errors. */
export const uploadDenied: Answer = {
  status: 403,
  body: { statusCode: 403, error: 'Forbidden', message: 'Insufficient permissions' },
}

const WRITING_ROLES = new Set(['editor', 'administrator', 'contributor'])

/** What a role without any right to write is told before anything is looked at. */
export function mayNotWrite({ token }: Caller, route: Route): Answer | undefined {
  if (WRITING_ROLES.has(token?.role ?? 'viewer')) return undefined
  if (route === 'upload') return uploadDenied
  return mutationFailed([notPermitted('create')])
}

/** The contributor writes drafts only: sanity-io/sanity core/store/grants/debug/exampleGrants.ts. */
export function writerOf({ token, project }: Caller, { projects, rules }: { projects: Projects; rules: Rules }): Writer {
  const contributor = token?.role === 'contributor'
  return {
    author: 'pDoubleRobot',
    rules,
    may: (operation, id, document) => (!contributor || id.startsWith('drafts.')) && (token?.may?.(operation, id, document) ?? true),
    existsElsewhere: (reference) => {
      const foreign = projects.get(reference.project ?? project)?.get(reference.dataset)
      return foreign?.has(reference.id) ?? false
    },
  }
}

export function aclOf({ token }: Caller): readonly object[] {
  if (!token) return acls.publishedOnly
  if (token.filter) return [{ filter: token.filter, permissions: ['read', 'history'] }]
  return token.role === 'contributor' ? acls.contributor : token.role === 'viewer' || !token.role ? acls.viewer : acls.editor
}

/** Robot tokens: sanity.io docs, HTTP authentication; @sanity/client types.ts. No token: an empty object, as the Studio expects it. */
export function userOf({ token }: Caller): object {
  if (!token) return {}
  const name = token.role ?? 'viewer'
  const title = name.charAt(0).toUpperCase() + name.slice(1)
  return {
    id: 'pDoubleRobot',
    name: 'Backup',
    email: null,
    profileImage: null,
    provider: 'sanity-token',
    role: name,
    roles: [{ name, title }],
  }
}
