import type { ErrorCode } from '../errors.ts'

/**
 * Where the pages of this action lie: in its own repository, as it is at the ref that the workflow uses. Undefined for an action that is used from a path
 * (`uses: ./`), of which the runner names none.
 */
export function docsAddress(env: NodeJS.ProcessEnv): string | undefined {
  const { GITHUB_ACTION_REPOSITORY: repository = '', GITHUB_ACTION_REF: ref = '', GITHUB_SERVER_URL: server = 'https://github.com' } = env
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository) || ref === '' || !URL.canParse(server)) return undefined
  return `${server.replace(/\/+$/, '')}/${repository}/blob/${ref.split('/').map(encodeURIComponent).join('/')}/docs`
}

/** Where an error is explained: as an address, or as the name of the page where there is no address. */
export function errorPage(code: ErrorCode, docs: string | undefined): string {
  return `${docs ?? 'docs'}/errors.md#${code}`
}

/** How a workflow uses another door of this action: from the repository and the ref in the address of its pages, or beside it where there is none. */
export function doorAddress(door: string, docs: string | undefined): string {
  const [, repository, ref = ''] = /^https?:\/\/[^/]+\/([^/]+\/[^/]+)\/blob\/(.+)\/docs$/.exec(docs ?? '') ?? []
  return repository === undefined ? `./${door}` : `${repository}/${door}@${decodeURIComponent(ref)}`
}
