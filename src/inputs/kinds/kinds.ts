import { resolve } from 'node:path'
import { codecs } from '../../codec/codecs.ts'
import { isShard, mostShards, type Shard } from '../../format/manifest/shard.ts'
import { neutralise, quoteOutside } from '../../text.ts'
import { findHeartbeatUrl, minTokenLength, tokenOf } from '../secrets.ts'
import { type Env, inputOf } from '../variables.ts'
import { destinationRules, findBroken, findBrokenRule, oneOfRules, type Rule, secretRules } from './rules.ts'

/** The kinds of inputs: what a value becomes, and what is wrong with one that is not valid. */

/** Keeps a problem: what is wrong with the value, as the end of a sentence that begins with the input's name. */
type Refuse = (says: string) => void

/** Makes of a trimmed value what the run needs. Of one that it refuses it makes a harmless one: the run ends before that is used. */
export type Kind<Value> = (given: string, refuse: Refuse) => Value

/** An input that must not be empty; `instead` is the harmless value. */
export function required<Value>(kind: Kind<Value>, instead: Value): Kind<Value> {
  return (given, refuse) => {
    if (given !== '') return kind(given, refuse)
    refuse('is missing')
    return instead
  }
}

/** An input that may be left out. */
export function optional<Value>(kind: Kind<Value>): Kind<Value | undefined> {
  return (given, refuse) => (given === '' ? undefined : kind(given, refuse))
}

/** A text that keeps some rules. */
export function text(rules: readonly Rule[]): Kind<string> {
  return (given, refuse) => {
    const broken = findBroken(given, rules)
    if (broken !== undefined) refuse(broken)
    return given
  }
}

/** One of a few words. */
export function oneOf<Word extends string>(...words: readonly [Word, ...Word[]]): Kind<Word> {
  return required((given, refuse) => {
    text(oneOfRules(words))(given, refuse)
    return words.find((word) => word === given) ?? words[0]
  }, words[0])
}

/** The three spellings of YAML 1.2's core schema, as `core.getBooleanInput` takes them. */
export const trueOrFalse: Kind<boolean> = required((given, refuse) => {
  if (!/^(true|True|TRUE|false|False|FALSE)$/.test(given)) refuse(isNot(given, '`true` or `false`'))
  return given.toLowerCase() === 'true'
}, false)

/** A whole number within limits, both included. */
export function wholeNumber(lowest: number, highest: number): Kind<number> {
  return (given, refuse) => {
    const number = /^\d{1,16}$/.test(given) ? Number(given) : Number.NaN
    if (!(number >= lowest && number <= highest)) refuse(isNot(given, `a whole number from ${lowest} to ${highest}, in digits alone`))
    return number
  }
}

/** Texts with commas or line breaks between them; each counts once. Only the first bad one is refused. */
export function list(rules: readonly Rule[]): Kind<readonly string[]> {
  return (given, refuse) => {
    const entries = given
      .split(/[,\n\r]/)
      .map((entry) => entry.trim())
      .filter((entry) => entry !== '')
    const broken = entries.map((entry) => findBroken(entry, rules)).find((says) => says !== undefined)
    if (broken !== undefined) refuse(broken)
    return [...new Set(entries)]
  }
}

/** Lines of text in which only known words stand in braces. */
export function template(...words: readonly string[]): Kind<string> {
  return (given, refuse) => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
    if (/[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f]/.test(given)) refuse(isNot(given, 'plain text: it holds a control character'))
    const unknown = [...given.matchAll(/\{([a-z-]+)\}/g)].find(([, word = '']) => !words.includes(word))?.[0]
    if (unknown !== undefined) refuse(isNot(unknown, `one of ${words.map((word) => `{${word}}`).join(', ')}`))
    return given
  }
}

/** What is said of a token that is not there: the `with:` block is seldom to blame. */
export const emptyToken = 'is empty. Is the secret set in this repository? (Runs from forks get no secrets.)'

/** The Sanity token, which may also come from its own variable. Never quoted. */
export function sanityToken(env: Env): Kind<string> {
  return (_, refuse) => {
    const token = tokenOf(env)
    if (token === '') refuse(emptyToken)
    else if (token.length < minTokenLength) refuse(`has only ${token.length} characters and cannot be a Sanity token`)
    else secret(token, refuse)
    return token
  }
}

/** A token. Never quoted. */
export const secret: Kind<string> = (given, refuse) => {
  const broken = given === '' ? undefined : findBrokenRule(given, secretRules)
  if (broken !== undefined) refuse(broken)
  return given
}

/** The URL of a watchdog. Never quoted: anybody who knows it can fake a heartbeat. */
export function heartbeatUrl(env: Env): Kind<URL | undefined> {
  return (given, refuse) => {
    const url = findHeartbeatUrl(env)
    if (given !== '' && !url) refuse('is not an http(s) URL')
    return url
  }
}

const defaultHost = new URL('https://api.sanity.io')
const loopbackRule = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/** The address of a host: https, or http on this machine. */
export const apiHost: Kind<URL> = required((given, refuse) => {
  const url = URL.parse(given)
  if (url?.username || url?.password) {
    refuse('holds a user name or a password, which no request may carry')
  } else if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search || url.hash) {
    refuse(isNot(given, 'the address of a host, such as https://api.sanity.io'))
  } else if (url.protocol === 'http:' && !loopbackRule.test(url.hostname)) {
    refuse('must begin with https://, or the token would cross the network in the clear')
  }
  return url ?? defaultHost
}, defaultHost)

const destinationKinds = ['artifact', 'directory', 'branch'] as const

/** Where a snapshot can be stored. */
type DestinationKind = (typeof destinationKinds)[number]

/** One or more destinations. */
export const destinations: Kind<ReadonlySet<DestinationKind>> = (given, refuse) => {
  const words = list(destinationRules(destinationKinds))(given, refuse)
  if (words.length === 0) refuse('is missing')
  return new Set(destinationKinds.filter((kind) => words.includes(kind)))
}

/** `2/8`: the second of eight. */
export const shard: Kind<Shard> = (given, refuse) => {
  const [, index, of] = /^(\d{1,3})\/(\d{1,3})$/.exec(given) ?? []
  const part = { index: Number(index), of: Number(of) }
  if (!isShard(part)) refuse(isNot(given, `a part such as 2/8: from 1/n to n/n, and n at most ${mostShards}`))
  return part
}

/** A level of the codec that `compression` names; its default if there is none. */
export function compressionLevel(env: Env): Kind<number> {
  const named = inputOf(env, 'compression')
  // Where that is wrong itself, any level of any codec will do.
  const { levels } = named === 'gzip' || named === 'zstd' ? codecs[named] : codecs.zstd
  return (given, refuse) => optional(wholeNumber(1, levels.highest))(given, refuse) ?? levels.default
}

/** `~somebody`, `$HOME`, `${HOME}`, `%USERPROFILE%`. */
const unexpandedRule = /^(~[^/\\]|\$\{?[A-Za-z_]|%[A-Za-z_]+%)/

/** A folder, as an absolute path. No shell expands what stands in a workflow: `~/` works all the same, and other such words are refused. */
export function folder(env: Env): Kind<string> {
  const home = env['HOME'] || env['USERPROFILE']
  return (given, refuse) => {
    const [homely, inHome = ''] = /^~(?:[/\\]+(.*))?$/s.exec(given) ?? []
    if (given.includes('\0')) refuse(isNot(given, 'a path'))
    else if (homely !== undefined && !home) refuse('begins with ~, and this runner names no home folder (HOME)')
    else if (homely === undefined && unexpandedRule.test(given)) {
      refuse(
        `"${quoteOutside(given, 80)}" begins with what only a shell would expand: write ~/ for the home folder, or a GitHub expression`,
      )
    }
    return homely === undefined ? resolve(given) : resolve(home ?? '', inHome)
  }
}

const timeForm = /^(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2})(?::(\d{2})(?:\.\d+)?)?([Zz]|[+-]\d{2}:?\d{2})?)?$/

/** A date or a time, ISO 8601. Without a zone it is UTC; a date alone means the end of that day. */
export const time: Kind<Date> = (given, refuse) => {
  const [, day = '', clock, seconds = '00', zone = 'Z'] = timeForm.exec(given) ?? []
  const offset = zone.toUpperCase().replace(/^([+-]\d{2})(\d{2})$/, '$1:$2')
  const at = new Date(clock === undefined ? `${day}T23:59:59Z` : `${day}T${clock}:${seconds}${offset}`)
  // Of a day that no month has, Date makes one of the next month.
  const isDay = new Date(`${day}T00:00:00Z`).toJSON()?.startsWith(day) ?? false
  if (day !== '' && isDay && !Number.isNaN(at.getTime())) return at
  refuse(isNot(given, 'a date or time such as 2026-11-20, 2026-11-20T10:00 or 2026-11-20T10:00:00+02:00'))
  return new Date(0)
}

/** A folder that outputs name: they are made harmless, so a path that this changes would be another one. */
export function shownFolder(env: Env): Kind<string> {
  return (given, refuse) => {
    const visible = given.replaceAll('\0', '')
    if (neutralise(visible) !== visible) refuse('holds an invisible character, or ##[, that a log would act on')
    return folder(env)(given, refuse)
  }
}

function isNot(given: string, what: string): string {
  return `"${quoteOutside(given, 80)}" is not ${what}`
}
