import type { Run } from './format/manifest/manifest.ts'
import type { Forge } from './github/forge.ts'

/** What the runner says about the job: docs.github.com/actions/reference/variables-reference. */
export type Runner = {
  /** Null outside GitHub Actions. */
  readonly run: Run | null
  /** `owner/name`; empty outside GitHub Actions. */
  readonly repository: string
  readonly apiUrl: string
  readonly serverUrl: string
  /** What runs the workflow, by the variables that only its own runner sets. */
  readonly forge: Forge
  /** File with the event that started the run; undefined if there is none. */
  readonly eventPath: string | undefined
  /** Whether the artifact service was handed to this step. */
  readonly hasArtifactService: boolean
  /** The longest time that this repository keeps an artifact, in days, which is also what it does unasked; undefined where the runner does not tell. */
  readonly retentionDays: number | undefined
  /** A folder for what is gone when the job is. */
  readonly temp: string
}

/** Reads the runner's variables from the environment it is handed. */
export function parseRunner(env: NodeJS.ProcessEnv): Runner {
  const repository = env['GITHUB_REPOSITORY'] ?? ''
  const serverUrl = env['GITHUB_SERVER_URL'] ?? 'https://github.com'
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
    serverUrl,
    forge: forgeOf(env, serverUrl),
    eventPath: env['GITHUB_EVENT_PATH'] || undefined,
    temp: env['RUNNER_TEMP'] || env['TMPDIR'] || env['TEMP'] || '/tmp',
    hasArtifactService: Boolean(env['ACTIONS_RESULTS_URL'] && env['ACTIONS_RUNTIME_TOKEN']),
    retentionDays: Number(env['GITHUB_RETENTION_DAYS']) || undefined,
  }
}

/**
 * Both of the others take GitHub's variables, and Forgejo's runner takes Gitea's too: forgejo/runner internal/app/run/runner.go, gitea/act_runner
 * the same. The hosts of GitHub itself are those of `@actions/artifact` src/internal/shared/config.ts.
 */
function forgeOf(env: NodeJS.ProcessEnv, serverUrl: string): Forge {
  if (env['FORGEJO_ACTIONS']) return 'forgejo'
  if (env['GITEA_ACTIONS']) return 'gitea'
  const host = URL.parse(serverUrl)?.hostname.toLowerCase() ?? ''
  return host === 'github.com' || host.endsWith('.ghe.com') || host.endsWith('.localhost') ? 'github' : 'enterprise'
}
