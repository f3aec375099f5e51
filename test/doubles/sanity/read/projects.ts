import type { Answer } from '../../http.ts'
import { answers, datasetNotFound, missingGrant } from '../answers.ts'
import { isRecord } from '../data/json.ts'
import { Dataset } from '../data/store.ts'
import type { Caller, SanityOptions } from '../types.ts'

/** @sanity/client types.ts, SanityProject. */
export function projectOf(id: string): object {
  return {
    id,
    displayName: `Project ${id}`,
    studioHost: null,
    organizationId: 'oDouble',
    isBlocked: false,
    isDisabled: false,
    isDisabledByUser: false,
    createdAt: '2024-01-01T00:00:00.000Z',
    metadata: {},
    members: [],
  }
}

type Aliases = NonNullable<SanityOptions['aliases']>

/** Aliases are an Enterprise feature: @sanity/cli commands/datasets/alias/create.js, services/datasetAliases.js, services/getProjectFeatures.js. */
export function aliasesAnswer({ token }: Caller, aliases: Aliases): Answer {
  if (!token) return answers.missingGrant
  return { status: 200, body: Object.entries(aliases).map(([name, datasetName]) => ({ name, datasetName })) }
}

export function featuresAnswer({ token }: Caller, aliases: Aliases): Answer {
  if (!token) return answers.missingGrant
  return { status: 200, body: Object.keys(aliases).length > 0 ? ['privateDataset', 'advancedDatasetManagement'] : ['privateDataset'] }
}

/** "Aliases are read-only": sanity.io docs, hot swap. Status and words INFERRED. */
export function aliasIsReadOnly(name: string): Answer {
  const message = `Dataset alias "${name}" can not be written to`
  return { status: 400, body: { statusCode: 400, error: 'Bad Request', message } }
}

/** List, create, edit and delete: @sanity/client datasets/DatasetsClient.ts. Words of the refusals INFERRED, their kind from the issues. */
export function datasetsAnswer(
  caller: Caller,
  method: string,
  { datasets, body }: { datasets: Map<string, Dataset>; body: Buffer },
): Answer {
  const { token, dataset: name, project } = caller
  if (method === 'GET') return token ? { status: 200, body: [...datasets.values()].map(describe) } : answers.missingGrant
  const grant = { PUT: 'create', PATCH: 'update', DELETE: 'delete' }[method]
  if (!grant) return { status: 405, body: { statusCode: 405, error: 'Method Not Allowed', message: 'Method Not Allowed' } }
  if (token?.role !== 'administrator') return missingGrant(`sanity.project.datasets/${grant}`)
  const known = datasets.get(name)
  if (method !== 'PUT' && !known) return datasetNotFound(project, name)
  if (method === 'DELETE') {
    datasets.delete(name)
    return { status: 200, body: { deleted: true } }
  }
  if (known && method === 'PUT') return conflict(`Dataset "${name}" already exists`)
  // @sanity/client validators.ts; sanity.io docs, technical limits.
  if (!/^[a-z0-9][-_a-z0-9]{0,63}$/.test(name)) {
    return { status: 400, body: { statusCode: 400, error: 'Bad Request', message: `Dataset name "${name}" is not valid` } }
  }
  const made = known ?? new Dataset(name, {})
  made.aclMode = aclModeIn(body) ?? made.aclMode
  datasets.set(name, made)
  return { status: 200, body: { datasetName: name, aclMode: made.aclMode } }
}

function describe({ name, aclMode }: Dataset): object {
  return { name, aclMode, createdAt: '2024-01-01T00:00:00.000Z', createdByUserId: 'pDouble', addonFor: null, tags: [] }
}

function aclModeIn(body: Buffer): 'public' | 'private' | undefined {
  const settings: unknown = body.length > 0 ? JSON.parse(body.toString()) : {}
  const mode = isRecord(settings) ? settings['aclMode'] : undefined
  return mode === 'public' || mode === 'private' ? mode : undefined
}

function conflict(message: string): Answer {
  return { status: 409, body: { statusCode: 409, error: 'Conflict', message } }
}
