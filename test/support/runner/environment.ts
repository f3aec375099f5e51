import { join } from 'node:path'

/** What action.yml says, as far as a run needs it. */
export type ActionYml = {
  readonly inputs?: Readonly<Record<string, { readonly default?: unknown } | null>>
  readonly outputs?: Readonly<Record<string, unknown>>
  readonly runs: { readonly using: string; readonly main: string }
}

/** Where no service is listening: what the action reaches without a double. */
const NOWHERE = 'http://127.0.0.1:9'

/** PATH of a Linux runner, so that nothing of the developer's machine comes in. */
const RUNNER_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Scheduled runs have the repository in their payload since 2022-09-27 (GitHub changelog). */
export const DEFAULT_EVENT = {
  schedule: '17 3 * * *',
  repository: { id: 1, name: 'site', full_name: 'acme/site', private: true, visibility: 'private', owner: { login: 'acme' } },
}

export function runnerEnvironment(paths: {
  temp: string
  workspace: string
  event: string
  folder: string
  actionFolder: string
}): Record<string, string> {
  return {
    PATH: RUNNER_PATH,
    HOME: paths.folder,
    LANG: 'C.UTF-8',
    CI: 'true',
    GITHUB_ACTION: '__self',
    GITHUB_ACTION_PATH: paths.actionFolder,
    GITHUB_ACTIONS: 'true',
    GITHUB_ACTOR: 'octocat',
    GITHUB_ACTOR_ID: '1',
    GITHUB_API_URL: NOWHERE,
    GITHUB_BASE_REF: '',
    GITHUB_EVENT_NAME: 'schedule',
    GITHUB_EVENT_PATH: paths.event,
    GITHUB_GRAPHQL_URL: `${NOWHERE}/graphql`,
    GITHUB_HEAD_REF: '',
    GITHUB_JOB: 'backup',
    GITHUB_REF: 'refs/heads/main',
    GITHUB_REF_NAME: 'main',
    GITHUB_REF_PROTECTED: 'false',
    GITHUB_REF_TYPE: 'branch',
    GITHUB_REPOSITORY: 'acme/site',
    GITHUB_REPOSITORY_ID: '1',
    GITHUB_REPOSITORY_OWNER: 'acme',
    GITHUB_REPOSITORY_OWNER_ID: '2',
    GITHUB_RETENTION_DAYS: '90',
    GITHUB_RUN_ATTEMPT: '1',
    GITHUB_RUN_ID: '42',
    GITHUB_RUN_NUMBER: '7',
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_SHA: '0123456789abcdef0123456789abcdef01234567',
    GITHUB_TRIGGERING_ACTOR: 'octocat',
    GITHUB_WORKFLOW: 'Backup',
    GITHUB_WORKFLOW_REF: 'acme/site/.github/workflows/backup.yml@refs/heads/main',
    GITHUB_WORKFLOW_SHA: '0123456789abcdef0123456789abcdef01234567',
    GITHUB_WORKSPACE: paths.workspace,
    RUNNER_ARCH: 'X64',
    RUNNER_ENVIRONMENT: 'github-hosted',
    RUNNER_NAME: 'GitHub Actions 1',
    RUNNER_OS: 'Linux',
    RUNNER_TEMP: paths.temp,
    RUNNER_TOOL_CACHE: join(paths.folder, 'tools'),
    RUNNER_WORKSPACE: paths.folder,
    ACTIONS_RESULTS_URL: `${NOWHERE}/`,
    ACTIONS_RUNTIME_URL: `${NOWHERE}/`,
    ACTIONS_RUNTIME_TOKEN: 'e30.e30.none',
  }
}

/** `INPUT_` and the name in upper case, spaces as `_`, hyphens kept (actions/runner Handler.cs). */
export function inputEnvironment(
  { inputs: declared = {} }: ActionYml,
  { inputs, temp, githubToken }: { inputs: Readonly<Record<string, string>>; temp: string; githubToken: string },
): Record<string, string> {
  const unexpected = Object.keys(inputs).filter((name) => !(name in declared))
  if (unexpected.length > 0) throw new Error(`Not an input of action.yml: ${unexpected.join(', ')}`)
  const expand = (text: string) => text.replaceAll('${{ runner.temp }}', temp).replaceAll('${{ github.token }}', githubToken)
  return Object.fromEntries(
    Object.entries(declared).map(([name, input]) => {
      const value = inputs[name] ?? String(input?.default ?? '')
      return [`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`, expand(value)]
    }),
  )
}
