import { type Env, pick, reaching } from './environment.ts'
import type { Machine } from './machine.ts'

/** The settings of every git process here: git-scm.com/docs/git-config. */
const settings: readonly (readonly [string, string])[] = [
  ['credential.helper', ''],
  // git looks at the disk when it makes a repository, and would take files that differ in case for the same on a Mac or on Windows.
  ['core.ignoreCase', 'false'],
  ['core.precomposeUnicode', 'false'],
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  // Larger files are passed through; they would otherwise lie in memory more than once.
  ['core.bigFileThreshold', '1m'],
  ['core.deltaBaseCacheLimit', '16m'],
  ['core.packedGitWindowSize', '16m'],
  ['core.packedGitLimit', '64m'],
  ['pack.threads', '1'],
  ['fetch.unpackLimit', '1'],
  ['fetch.writeCommitGraph', 'false'],
  ['advice.graftFileDeprecated', 'false'],
  // A redirect would take the token along.
  ['http.followRedirects', 'false'],
  ['http.lowSpeedLimit', '100'],
  ['http.lowSpeedTime', '180'],
]

/** Blobs come only when one is asked for. */
const promisor = [
  ['remote.origin.promisor', 'true'],
  ['remote.origin.partialclonefilter', 'blob:none'],
  // With a window git looks for old versions to store differences to, and would fetch them first.
  ['pack.window', '0'],
]

/** Where nothing is fetched, differences to what is here are looked for: also those of a manifest that lists thousands of assets. */
const local = [
  ['core.bigFileThreshold', '24m'],
  ['pack.windowMemory', '64m'],
]

type Settings = {
  readonly home: string
  /** Of the repository on the server, which is called `origin`. */
  readonly url: string
  /** Whether what is missing here is fetched when it is asked for. */
  readonly fetchesMissing: boolean
  readonly serverUrl: string
  readonly token: string
  readonly machine: Machine
}

/**
 * The environment of a git process, made from nothing: of the configuration of the user or the machine only what reaches the server, no prompt, no
 * tracing. The folder is named, so that git neither looks for another nor asks whose it is. The token goes into a
 * header for this server alone, which an inherited one does not stand beside: GitHub refuses two.
 */
export function gitEnvironment(env: Env, { home, url, serverUrl, token, fetchesMissing, machine }: Settings): Env {
  const header = `http.${serverUrl}/.extraheader`
  const origin = [['remote.origin.url', url], ...(fetchesMissing ? promisor : local)]
  const all = [
    ...machine.settings,
    ...settings,
    ...origin,
    [header, ''],
    ...(token === '' ? [] : [[header, `Authorization: Basic ${basicCredentials(token)}`]]),
  ]
  return {
    // git's own http library takes it in lower case only.
    ...(env['HTTP_PROXY'] === undefined ? {} : { http_proxy: env['HTTP_PROXY'] }),
    ...pick(env, reaching),
    ...(machine.certificates === undefined ? {} : { GIT_SSL_CAINFO: machine.certificates }),
    HOME: home,
    GIT_DIR: home,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_CONFIG_COUNT: String(all.length),
    ...Object.fromEntries(
      all.flatMap(([key = '', value = ''], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
  }
}

/** How a token is sent to GitHub's git: github.com/actions/checkout src/git-auth-helper.ts. */
function basicCredentials(token: string): string {
  return Buffer.from(`x-access-token:${token}`).toString('base64')
}
