import { bareKeysIn, secretsIn } from '../codec/age-keys.ts'
import { findBrokenRule, secretRules } from './kinds/rules.ts'
import { nearest } from './spelling.ts'
import { type Env, findUndeclared, inputOf, proxyVariables, variableOf } from './variables.ts'

/** All that must never be shown, and where it comes from. */

/** Shorter ones are no tokens, and masking them would mask half the log. */
export const minTokenLength = 8

/** The URL of the watchdog. One under any other name is never requested: whoever misspells it may as well mean something else. */
export const heartbeatInput = 'heartbeat-url'

/** The input for secret keys of age, of which it holds several lines. */
export const identityInput = 'identity'

const secretInputs = ['token', 'github-token', heartbeatInput, identityInput] as const

const tokenVariable = 'SANITY_AUTH_TOKEN'

/** The environment variables that hold secrets: to be removed, so that no child process inherits them. */
export const secretVariables: readonly string[] = [...secretInputs.map(variableOf), tokenVariable]

/** The Sanity token as it was given, with whatever stands around it. */
export function tokenOf(env: Env): string {
  return inputOf(env, 'token') || (env[tokenVariable] ?? '').trim()
}

/** The URL of the watchdog; undefined if there is none or it is no URL. It is needed even when other inputs are wrong. */
export function findHeartbeatUrl(env: Env): URL | undefined {
  const url = URL.parse(inputOf(env, heartbeatInput))
  return url && /^https?:$/.test(url.protocol) ? url : undefined
}

/**
 * The values that must never be shown, as far as they are long enough to be masked; `declared` are the names of all inputs. To be called before
 * anything is printed. `masked` ones come from inputs, and the runner has to mask them too; `hidden` ones come from elsewhere, and it never gets to see them.
 */
export function findSecrets(env: Env, declared: readonly string[]): { masked: string[]; hidden: string[] } {
  const tokens = [tokenOf(env), inputOf(env, 'github-token')]
  const meant = findUndeclared(env, declared).map((input) => ({ value: inputOf(env, input), as: nearest(input, declared) }))
  const misspelt = meant.filter(({ as }) => secretInputs.some((secret) => secret === as))
  const identities = [inputOf(env, identityInput), ...misspelt.filter(({ as }) => as === identityInput).map(({ value }) => value)]
  const masked = [
    ...tokens,
    inputOf(env, heartbeatInput),
    ...tokens.flatMap(partsOf),
    ...misspelt.filter(({ as }) => as !== identityInput).map(({ value }) => value),
    ...identities.flatMap((value) => secretsIn(beginningOf(value), 'identities')),
    ...ageKeys(env),
  ]
  return { masked: [...new Set(masked)].filter(isMaskable), hidden: proxyPasswords(env).filter(isMaskable) }
}

/** So many lines may be keys or parts of them. Of a whole page that was pasted there, only what looks like a key is masked: `ageKeys` finds it. */
const mostKeyLines = 100

function beginningOf(text: string): string {
  return text.split('\n').slice(0, mostKeyLines).join('\n')
}

/** Secret keys of age, wherever they stand: one that stands in a wrong place must not be printed on top of that. */
function ageKeys(env: Env): string[] {
  const inputs = Object.entries(env).filter(([name]) => name.startsWith('INPUT_'))
  return inputs.flatMap(([, value = '']) => [...secretsIn(value, 'recipients'), ...bareKeysIn(value)])
}

function isMaskable(secret: string): boolean {
  return secret.length >= minTokenLength
}

/** The parts of a badly stored token that may be the token itself; none of a good one. */
function partsOf(token: string): string[] {
  return findBrokenRule(token, secretRules) === undefined ? [] : token.split(/[^A-Za-z0-9._~+/-]+/)
}

/** The passwords of the proxies, as written and decoded. */
function proxyPasswords(env: Env): string[] {
  const passwords = proxyVariables.map((name) => URL.parse(env[name] ?? '')?.password ?? '')
  return [...new Set(passwords.flatMap((password) => [password, decoded(password)]))]
}

/** A text that is no good percent-encoding stays as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
