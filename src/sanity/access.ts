import { BackupError } from '../errors.ts'
import type { Deadlines } from '../http/body.ts'
import { readJson } from '../http/short-answer.ts'
import { cutAnswer, type SanityApi } from './api.ts'

/** The access list only informs: it must not keep a backup waiting. */
const accessDeadlines: Deadlines = { firstByteMs: 15_000, idleMs: 10_000, totalMs: 30_000 }

/** The API version of the access list that the Studio asks for: sanity-io/sanity packages/sanity/src/core/store/grants/grantsStore.ts. */
const aclVersion = '2021-06-07'
const maxAclBytes = 1024 * 1024

/**
 * Whether the token may read every document of the dataset: an entry of the dataset's access list that grants `read` on `_id in path("**")`.
 * Nothing in an export tells that documents were left out for lack of rights, nor does a count by the same token.
 * Null where it cannot be known: the endpoint is not open to every token.
 */
export async function findFullRead(api: SanityApi): Promise<boolean | null> {
  const { projectId, dataset } = api.source
  let list: unknown
  try {
    const body = await api.open(`/projects/${projectId}/datasets/${dataset}/acl`, {
      version: aclVersion,
      deadlines: accessDeadlines,
      what: 'the access list',
      cut: cutAnswer,
    })
    list = await readJson(body, maxAclBytes)
  } catch (error) {
    if (error instanceof BackupError && error.code !== 'cancelled') return null
    throw error
  }
  return Array.isArray(list) ? list.some(readsEverything) : null
}

function readsEverything(entry: unknown): boolean {
  if (typeof entry !== 'object' || entry === null || !('filter' in entry) || !('permissions' in entry)) return false
  const { filter, permissions } = entry
  return (
    typeof filter === 'string' &&
    /^\s*_id\s+in\s+path\(\s*(["'])\*\*\1\s*\)\s*$/.test(filter) &&
    Array.isArray(permissions) &&
    permissions.includes('read')
  )
}
