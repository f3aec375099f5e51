import { resolve } from 'node:path'
import { type Compression, codecs } from './codec/codec.ts'
import { BackupError } from './errors.ts'
import type { Source } from './sanity/api.ts'
import { type Filters, idPatternRule } from './snapshot/filters.ts'
import { labelRule } from './snapshot/name.ts'
import { quoteOutside } from './text.ts'

/** What a user asked for, checked once: nothing after this reads an input again. */
export type Inputs = {
  readonly command: 'backup'
  readonly source: Source
  readonly token: string
  readonly filters: Filters
  readonly compression: Compression
  readonly compressionLevel: number
  readonly destinations: ReadonlySet<DestinationKind>
  /** Absolute. */
  readonly path: string
  readonly label: string | null
  readonly artifactName: string
  readonly retentionDays: number | undefined
  readonly githubToken: string
  readonly allowPublic: boolean
  readonly minDocuments: number
  readonly heartbeatUrl: URL | undefined
}

export type DestinationKind = 'artifact' | 'directory'

type Env = Readonly<Record<string, string | undefined>>

/** Shorter ones are no tokens, and masking them would mask half the log. */
const minTokenLength = 8

/** The values that must never be shown, as far as they are long enough to be masked. To be called before anything is printed. */
export function findSecrets(env: Env): string[] {
  return [tokenOf(env), inputOf(env, 'github-token'), inputOf(env, 'heartbeat-url')].filter((secret) => secret.length >= minTokenLength)
}

/** The names of the environment variables that hold secrets: to be removed, so that no child process inherits them. */
export const secretVariables = ['INPUT_TOKEN', 'SANITY_AUTH_TOKEN', 'INPUT_GITHUB-TOKEN', 'INPUT_HEARTBEAT-URL'] as const

/** The URL to tell how the run went; undefined if there is none or it is no URL. It is needed even when the other inputs are wrong. */
export function findHeartbeatUrl(env: Env): URL | undefined {
  const url = URL.parse(inputOf(env, 'heartbeat-url'))
  return url && /^https?:$/.test(url.protocol) ? url : undefined
}

/** Reads the inputs from the environment. Throws one `input-invalid` that names every problem, in the order of action.yml. */
export function parseInputs(env: Env): Inputs {
  const problems: string[] = []
  const read = readers(env, (input, problem) => problems.push(`${input}: ${problem}`))

  const projectId = read.matching(
    'project-id',
    /^[a-z0-9][a-z0-9-]{0,63}$/,
    'a project id: lower-case letters, digits and dashes, as sanity.io/manage shows it',
  )
  const dataset = read.matching(
    'dataset',
    /^[a-z0-9][\w-]{0,63}$/,
    'the name of a dataset: letters, digits, `_` and `-`, at most 64 (an alias, `~name`, is not one)',
  )
  const token = read.token()
  const apiHost = read.apiHost()
  const apiVersion = read.matching('api-version', /^v?(\d{4}-\d{2}-\d{2}|1|X)$/, 'an API version such as 2025-02-19').replace(/^v/, '')
  const includeDrafts = read.boolean('include-drafts')
  const types = read.list('types')
  const excludeTypes = read.list('exclude-types')
  const contradictory = excludeTypes.find((type) => types.includes(type))
  if (contradictory !== undefined) read.problem('exclude-types', `"${quoteOutside(contradictory, 80)}" is also in \`types\``)
  const excludeIds = read.list('exclude-ids', idPatternRule, 'a pattern of ids: letters, digits, `.`, `_`, `-` and stars')
  const compression = read.oneOf('compression', ['gzip', 'zstd'])
  const { levels } = codecs[compression]
  const compressionLevel = read.wholeNumber('compression-level', 1, levels.highest) ?? levels.default
  const destinations = read.destinations()
  const path = read.path()
  const label = read.optional('label', labelRule, 'a label: letters, digits, `.`, `_` and `-`, at most 64')
  const artifactName = read.optional(
    'artifact-name',
    artifactNameRule,
    'a name for an artifact: none of " : < > | * ? \\ / and at most 200 characters',
  )
  const retentionDays = read.wholeNumber('retention-days', 1, 400)
  const githubToken = read.header('github-token')
  const allowPublic = read.boolean('allow-public')
  const minDocuments = read.wholeNumber('min-documents', 0, Number.MAX_SAFE_INTEGER) ?? read.missing('min-documents', 1)
  const heartbeatUrl = read.heartbeatUrl()

  if (problems.length > 0) throw invalid(problems)
  return {
    command: 'backup',
    source: { projectId, dataset, apiHost, apiVersion },
    token,
    filters: { includeDrafts, types, excludeTypes, excludeIds },
    compression,
    compressionLevel,
    destinations,
    path,
    label: label ?? null,
    artifactName: artifactName ?? ['sanity', projectId, dataset, ...(label === undefined ? [] : [label])].join('-'),
    retentionDays,
    githubToken,
    allowPublic,
    minDocuments,
    heartbeatUrl,
  }
}

/** `@actions/artifact` src/internal/upload/path-and-artifact-name-validation.ts */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const artifactNameRule = /^[^":<>|*?\\/\u0000-\u001f\u007f]{1,200}$/

/** Reading one input each; what is wrong is told to `problem`, and a harmless value given instead. */
function readers(env: Env, problem: (input: string, says: string) => void) {
  const value = (input: string): string => inputOf(env, input)

  const missing = <Value>(input: string, instead: Value): Value => {
    problem(input, 'is missing')
    return instead
  }

  const notA = (input: string, what: string): void => problem(input, `"${quoteOutside(value(input), 80)}" is not ${what}`)

  const matching = (input: string, rule: RegExp, what: string): string => {
    if (value(input) === '') return missing(input, '')
    if (!rule.test(value(input))) notA(input, what)
    return value(input)
  }

  const oneOf = <Word extends string>(input: string, words: readonly [Word, ...Word[]]): Word => {
    if (value(input) === '') return missing(input, words[0])
    const found = words.find((word) => word === value(input))
    if (found === undefined) notA(input, `one of ${words.join(', ')}`)
    return found ?? words[0]
  }

  const list = (input: string, rule = /^[^\s]{1,256}$/, what = 'a type name'): string[] => {
    const entries = value(input)
      .split(/[,\n\r]/)
      .map((entry) => entry.trim())
      .filter((entry) => entry !== '')
    const bad = entries.find((entry) => !rule.test(entry))
    if (bad !== undefined) problem(input, `"${quoteOutside(bad, 80)}" is not ${what}`)
    return [...new Set(entries)]
  }

  return {
    problem,
    missing,
    matching,
    oneOf,
    list,

    optional: (input: string, rule: RegExp, what: string): string | undefined => {
      if (value(input) === '') return undefined
      if (!rule.test(value(input))) notA(input, what)
      return value(input)
    },

    /** The three spellings of YAML 1.2's core schema, as `core.getBooleanInput` takes them. */
    boolean: (input: string): boolean => {
      if (value(input) === '') return missing(input, false)
      if (!/^(true|True|TRUE|false|False|FALSE)$/.test(value(input))) notA(input, '`true` or `false`')
      return value(input).toLowerCase() === 'true'
    },

    wholeNumber: (input: string, lowest: number, highest: number): number | undefined => {
      if (value(input) === '') return undefined
      const number = /^\d{1,16}$/.test(value(input)) ? Number(value(input)) : Number.NaN
      if (!(number >= lowest && number <= highest)) {
        notA(
          input,
          highest === Number.MAX_SAFE_INTEGER ? `a whole number from ${lowest} up` : `a whole number from ${lowest} to ${highest}`,
        )
      }
      return number
    },

    /** Never quotes the token. */
    token: (): string => {
      const token = tokenOf(env)
      if (token === '') {
        problem('token', 'is empty. Is the secret set in this repository? (Runs from forks get no secrets.)')
      } else if (token.length < minTokenLength) {
        problem('token', `has only ${token.length} characters and cannot be a Sanity token`)
      } else if (!headerRule.test(token)) {
        problem('token', 'holds a space, a line break or another character that no token has. Was it pasted together with other text?')
      }
      return token
    },

    /** Never quotes the value: it may be a token. */
    header: (input: string): string => {
      if (value(input) !== '' && !headerRule.test(value(input))) problem(input, 'holds a character that no token has')
      return value(input)
    },

    apiHost: (): URL => {
      const url = URL.parse(value('api-host'))
      if (value('api-host') === '') return missing('api-host', defaultUrl)
      if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.pathname !== '/' || url.search || url.hash) {
        notA('api-host', 'the address of a host, such as https://api.sanity.io')
      } else if (url.protocol === 'http:' && !loopbackRule.test(url.hostname)) {
        problem('api-host', 'must begin with https://, or the token would cross the network in the clear')
      }
      return url ?? defaultUrl
    },

    destinations: (): ReadonlySet<DestinationKind> => {
      const words = list('destination', /^/)
      if (words.length === 0) problem('destination', 'is missing')
      const unknown = words.find((word) => word !== 'artifact' && word !== 'directory')
      if (unknown !== undefined) problem('destination', `"${quoteOutside(unknown, 80)}" is not one of artifact, directory`)
      return new Set(words as DestinationKind[])
    },

    path: (): string => {
      if (value('path') === '') return missing('path', '')
      if (value('path').includes('\0')) notA('path', 'a path')
      return resolve(value('path'))
    },

    /** Never quotes the URL: whoever knows it can fake a heartbeat. */
    heartbeatUrl: (): URL | undefined => {
      const url = findHeartbeatUrl(env)
      if (value('heartbeat-url') !== '' && !url) problem('heartbeat-url', 'is not an http(s) URL')
      return url
    },
  }
}

/** What may stand in an HTTP header's value (RFC 9110, 5.5), without spaces. */
const headerRule = /^[\u0021-\u007e]+$/
const loopbackRule = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/
const defaultUrl = new URL('https://api.sanity.io')

/** An input's value as `@actions/core` reads it: upper case, spaces to underscores, trimmed. */
function inputOf(env: Env, input: string): string {
  return (env[`INPUT_${input.replaceAll(' ', '_').toUpperCase()}`] ?? '').trim()
}

function tokenOf(env: Env): string {
  return inputOf(env, 'token') || (env['SANITY_AUTH_TOKEN'] ?? '').trim()
}

function invalid(problems: readonly string[]): BackupError {
  return new BackupError({
    code: 'input-invalid',
    title: problems.length === 1 ? 'An input is not valid' : `${problems.length} inputs are not valid`,
    message: problems.join('\n'),
    hint: 'Correct the `with:` block of this step. The README lists every input with its meaning and default.',
  })
}
