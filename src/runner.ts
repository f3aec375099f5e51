import type { Run } from './snapshot/manifest.ts'

/** What the runner tells about the job: docs.github.com/actions/reference/variables-reference. */
export type Runner = {
  /** Null outside GitHub Actions. */
  readonly run: Run | null
  /** `owner/name`; empty outside GitHub Actions. */
  readonly repository: string
  readonly apiUrl: string
  readonly serverUrl: string
  /** File with the event that started the run; undefined if there is none. */
  readonly eventPath: string | undefined
  /** Whether the artifact service was handed to this step. */
  readonly hasArtifactService: boolean
}

/** Reads the runner's variables from the environment it is handed. */
export function parseRunner(env: NodeJS.ProcessEnv): Runner {
  const repository = env['GITHUB_REPOSITORY'] ?? ''
  return {
    run:
      env['GITHUB_ACTIONS'] === 'true'
        ? {
            repository,
            runId: env['GITHUB_RUN_ID'] ?? '',
            runAttempt: Number(env['GITHUB_RUN_ATTEMPT'] ?? 1) || 1,
            event: env['GITHUB_EVENT_NAME'] ?? '',
            sha: env['GITHUB_SHA'] ?? '',
          }
        : null,
    repository,
    apiUrl: env['GITHUB_API_URL'] ?? 'https://api.github.com',
    serverUrl: env['GITHUB_SERVER_URL'] ?? 'https://github.com',
    eventPath: env['GITHUB_EVENT_PATH'] || undefined,
    hasArtifactService: Boolean(env['ACTIONS_RESULTS_URL'] && env['ACTIONS_RUNTIME_TOKEN']),
  }
}
