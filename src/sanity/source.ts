/** Where the documents come from. `apiVersion` is without the leading `v`. */
export type Source = {
  readonly projectId: string
  readonly dataset: string
  readonly apiHost: URL
  readonly apiVersion: string
}

/** Where the API is unless `api-host` says otherwise; each project has a name of its own before it. */
export const defaultHost = 'api.sanity.io'
