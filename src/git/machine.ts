import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { getCACertificates } from 'node:tls'
import { gitIn } from './command.ts'
import { type Env, pick, reaching } from './environment.ts'
import { oldGit } from './server/refusals.ts'

/** What the machine's git is like, and what its own settings say of how a server is reached. */
export type Machine = {
  readonly settings: readonly (readonly [string, string])[]
  /** A file of certificates to trust; undefined where git finds its own. */
  readonly certificates: string | undefined
}

/** The first git that reads settings from GIT_CONFIG_COUNT: github.com/git/git Documentation/RelNotes/2.31.0.txt. */
const oldestGit = '2.31'

/** Where a user's and the machine's own settings of git are found. */
const settingsVariables = ['HOME', 'XDG_CONFIG_HOME', 'USERPROFILE', 'GIT_CONFIG_GLOBAL', 'GIT_CONFIG_SYSTEM', 'GIT_CONFIG_NOSYSTEM']

/** The settings that reach a server, in lower case as git prints them: git-scm.com/docs/git-config, http.*. Not among them: what weakens a check. */
const wanted = new Set(
  ['sslCAInfo', 'sslCAPath', 'sslCert', 'sslKey', 'sslCertType', 'sslKeyType', 'sslBackend', 'schannelUseSSLCAInfo', 'schannelCheckRevoke']
    .concat(['proxy', 'proxyAuthMethod', 'proxySSLCAInfo', 'proxySSLCert', 'proxySSLKey'])
    .map((name) => `http.${name.toLowerCase()}`),
)

type MachineNeeds = { readonly environment: Env; readonly folder: string; readonly url: string; readonly signal: AbortSignal }

/**
 * Reads the version of the machine's git, and those of its settings that reach the server at `url`. A file of certificates may be left in `folder`.
 * Throws `branch-rejected` for a git that is too old.
 */
export async function readMachine({ environment, folder, url, signal }: MachineNeeds): Promise<Machine> {
  const git = gitIn({
    folder,
    environment: { ...pick(environment, [...reaching, ...settingsVariables]), LC_ALL: 'C', GIT_DIR: folder },
    signal,
  })
  const version = (await git.run(['--version'])).toString('utf8').trim()
  if (isOlder(version)) throw oldGit(version, oldestGit)
  const { exitCode, stdout } = await git.attempt(['config', '--null', '--get-urlmatch', 'http', url])
  const found = exitCode === 0 ? stdout.toString('utf8').split('\0') : []
  const settings = found.flatMap((pair) => {
    const [key = '', ...value] = pair.split('\n')
    return wanted.has(key) ? [[key, value.join('\n')] as const] : []
  })
  const own = environment['GIT_SSL_CAINFO'] || settings.findLast(([key]) => key === 'http.sslcainfo')?.[1]
  const certificates = await joinCertificates(environment, own, join(folder, 'certificates.pem'))
  // Windows' own way of checking reads a file of certificates only with this setting.
  return { settings: certificates ? [...settings, ['http.schannelUseSSLCAInfo', 'true']] : settings, certificates }
}

function isOlder(version: string): boolean {
  const [, major, minor] = /(\d+)\.(\d+)/.exec(version) ?? []
  const [oldestMajor = 0, oldestMinor = 0] = oldestGit.split('.').map(Number)
  if (major === undefined) return false
  return Number(major) < oldestMajor || (Number(major) === oldestMajor && Number(minor) < oldestMinor)
}

/**
 * Node adds the certificates in NODE_EXTRA_CA_CERTS to those that it trusts; git trusts one file alone. So all of them go into one: where a proxy's
 * certificate is named for Node, git meets the same proxy.
 */
async function joinCertificates(environment: Env, own: string | undefined, file: string): Promise<string | undefined> {
  const extra = environment['NODE_EXTRA_CA_CERTS']
  const added = extra ? await readFile(extra, 'utf8').catch(() => undefined) : undefined
  // Node warns of a file that cannot be read, and goes on without it.
  if (added === undefined) return undefined
  const others = [own ?? '', environment['SSL_CERT_FILE'] ?? ''].filter((path) => path !== '')
  const contents = await Promise.all(others.map((path) => readFile(path, 'utf8').catch(() => '')))
  const trusted = new Set([...contents, ...getCACertificates('bundled'), ...getCACertificates('system'), added])
  await writeFile(file, [...trusted].map((text) => `${text.trim()}\n`).join(''))
  return file
}
