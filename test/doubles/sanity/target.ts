import type { IncomingMessage } from 'node:http'
import type { Route } from './types.ts'

export type Target = { readonly route: Route; readonly project: string; readonly dataset: string; readonly apiVersion: string }

/** Project host or global host: @sanity/client http/requestOptions.ts. */
export function findTarget(request: IncomingMessage, url: URL, defaultProject: string): Target {
  const host = /^([a-z0-9-]+)\.api(?:cdn)?\./.exec(request.headers.host ?? '')?.[1]
  const header = request.headers['x-sanity-project-id']
  const project = host ?? (typeof header === 'string' ? header : defaultProject)
  const asset = /^\/(images|files)\/([^/]+)\/([^/]+)\/[^/]+$/.exec(url.pathname)
  if (asset) return { route: 'asset', project: asset[2] ?? '', dataset: asset[3] ?? '', apiVersion: '' }
  const [, apiVersion = '', rest = ''] = /^\/v(1|X|\d{4}-\d{2}-\d{2})(\/.*)$/.exec(url.pathname) ?? []
  const data = /^\/(?:data\/(export|query|doc|mutate|actions|history)|assets\/(?:images|files))\/([^/]+)/.exec(rest)
  const name = decodeURIComponent(data?.[2] ?? '')
  if (data) return { route: (data[1] as Route | undefined) ?? 'upload', project, dataset: name, apiVersion }
  const acl = /^\/projects\/([^/]+)\/datasets\/([^/]+)\/acl$/.exec(rest)
  if (acl) return { route: 'acl', project: acl[1] ?? '', dataset: decodeURIComponent(acl[2] ?? ''), apiVersion }
  return { ...managementTarget(rest, project), apiVersion }
}

function managementTarget(rest: string, project: string): Omit<Target, 'apiVersion'> {
  const [, projectId, list] = /^\/projects\/([^/]+)(\/datasets)?$/.exec(rest) ?? []
  if (projectId) return { route: list ? 'datasets' : 'project', project: projectId, dataset: '' }
  const dataset = /^\/datasets(?:\/([^/]+))?$/.exec(rest)
  if (dataset) return { route: 'datasets', project, dataset: decodeURIComponent(dataset[1] ?? '') }
  if (rest === '/aliases' || rest === '/features') return { route: rest.slice(1) as Route, project, dataset: '' }
  return { route: rest === '/users/me' ? 'me' : 'unknown', project, dataset: '' }
}
