import { resolve } from 'node:path'
import type { Shard } from '../format/shard.ts'
import { holdsPieceOf, neutralise, quoteOutside } from '../text.ts'
import { findBroken, findBrokenRule, oneOfRules, type Rule, secretRules, typeRules } from './rules.ts'
import { nearest } from './spelling.ts'

/** Reading single inputs; src/inputs.ts says which, and what they mean together. */

/** Where a snapshot can be stored. */
export type DestinationKind = (typeof destinationKinds)[number]

const destinationKinds = ['artifact', 'directory', 'branch'] as const

export type Env = Readonly<Record<string, string | undefined>>

/** Shorter ones are no tokens, and masking them would mask half the log. */
export const minTokenLength = 8

/** The URL to tell how the run went; undefined if there is none or it is no URL. It is needed even when the other inputs are wrong. */
export function findHeartbeatUrl(env: Env): URL | undefined {
  const url = URL.parse(inputOf(env, 'heartbeat-url'))
  return url && /^https?:$/.test(url.protocol) ? url : undefined
}

/** The names of inputs, in the order in which problems are told. */
export type InputNames = readonly [string, ...string[]]

/** Reading one input each, of those that are declared; what is wrong is told to `problem`, and a harmless value given instead. */
export function readers(env: Env, declared: InputNames, problem: (input: string, says: string) => void) {
  const value = (input: string): string => inputOf(env, input)

  const missing = <Value>(input: string, instead: Value): Value => {
    problem(input, 'is missing')
    return instead
  }

  const notA = (input: string, what: string): void => problem(input, `"${quoteOutside(value(input), 80)}" is not ${what}`)

  const keep = (input: string, given: string, rules: readonly Rule[]): void => {
    const broken = findBroken(given, rules)
    if (broken !== undefined) problem(input, broken)
  }

  const matching = (input: string, rules: readonly Rule[]): string => {
    if (value(input) === '') return missing(input, '')
    keep(input, value(input), rules)
    return value(input)
  }

  const oneOf = <Word extends string>(input: string, words: readonly [Word, ...Word[]]): Word => {
    if (value(input) === '') return missing(input, words[0])
    const found = words.find((word) => word === value(input))
    if (found === undefined) keep(input, value(input), oneOfRules(words))
    return found ?? words[0]
  }

  /** Absolute. No shell expands what stands in a workflow: `~/` is the home folder all the same, and anything else of that kind is refused. */
  const folder = (input: string): string => {
    const given = value(input)
    const [homely, inHome = ''] = /^~(?:[/\\]+(.*))?$/s.exec(given) ?? []
    const home = env['HOME'] || env['USERPROFILE']
    if (given.includes('\0')) notA(input, 'a path')
    else if (homely !== undefined && !home) problem(input, 'begins with ~, and this runner names no home folder (HOME)')
    else if (homely === undefined && unexpandedRule.test(given)) {
      problem(
        input,
        `"${quoteOutside(given, 80)}" begins with what only a shell would expand: write ~/ for the home folder, or a GitHub expression`,
      )
    }
    return homely === undefined ? resolve(given) : resolve(home ?? '', inHome)
  }

  const list = (input: string, rules: readonly Rule[] = typeRules): string[] => {
    const entries = value(input)
      .split(/[,\n\r]/)
      .map((entry) => entry.trim())
      .filter((entry) => entry !== '')
    const bad = entries.find((entry) => findBroken(entry, rules) !== undefined)
    if (bad !== undefined) keep(input, bad, rules)
    return [...new Set(entries)]
  }

  const keepSecret = (input: string, secret: string): void => {
    const broken = findBrokenRule(secret, secretRules)
    if (broken !== undefined) problem(input, broken)
  }

  return {
    problem,
    missing,
    matching,
    oneOf,
    list,

    optional: (input: string, rules: readonly Rule[]): string | undefined => {
      if (value(input) === '') return undefined
      keep(input, value(input), rules)
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
        notA(input, `a whole number from ${lowest} to ${highest}, in digits alone`)
      }
      return number
    },

    /** Inputs go into names, URLs and the manifest, where the token must never be. */
    refuseToken: (): void => {
      const token = tokenOf(env)
      if (token.length < minTokenLength) return
      for (const input of declared) {
        if (input !== 'token' && holdsPieceOf(token, value(input))) problem(input, 'holds the Sanity token, which belongs in `token` alone')
      }
    },

    /** An input that is not declared: the runner only warns of it. Never quotes its value, which may be a secret. */
    undeclared: (): void => {
      for (const input of findUndeclared(env, declared)) {
        problem(quoteOutside(input, 80), `is not an input of this action. Did you mean \`${nearest(input, declared)}\`?`)
      }
    },

    /** Never quotes the token. */
    token: (): string => {
      const token = tokenOf(env)
      if (token === '') {
        problem('token', 'is empty. Is the secret set in this repository? (Runs from forks get no secrets.)')
      } else if (token.length < minTokenLength) {
        problem('token', `has only ${token.length} characters and cannot be a Sanity token`)
      } else keepSecret('token', token)
      return token
    },

    /** Never quotes the value: it may be a token. */
    secret: (input: string): string => {
      if (value(input) !== '') keepSecret(input, value(input))
      return value(input)
    },

    apiHost: (): URL => {
      const url = URL.parse(value('api-host'))
      if (value('api-host') === '') return missing('api-host', defaultUrl)
      if (url?.username || url?.password) {
        problem('api-host', 'holds a user name or a password, which no request may carry')
      } else if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search || url.hash) {
        notA('api-host', 'the address of a host, such as https://api.sanity.io')
      } else if (url.protocol === 'http:' && !loopbackRule.test(url.hostname)) {
        problem('api-host', 'must begin with https://, or the token would cross the network in the clear')
      }
      return url ?? defaultUrl
    },

    destinations: (): ReadonlySet<DestinationKind> => {
      const words = list('destination', oneOfRules(destinationKinds))
      if (words.length === 0) problem('destination', 'is missing')
      return new Set(words as DestinationKind[])
    },

    /** Lines of text in which only known words stand in braces. */
    template: (input: string, words: readonly string[]): string => {
      if (value(input) === '') return missing(input, '')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
      if (/[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f]/.test(value(input))) notA(input, 'plain text: it holds a control character')
      const unknown = [...value(input).matchAll(/\{([a-z-]+)\}/g)].find(([, word = '']) => !words.includes(word))?.[0]
      if (unknown !== undefined)
        problem(input, `"${quoteOutside(unknown, 80)}" is not one of ${words.map((word) => `{${word}}`).join(', ')}`)
      return value(input)
    },

    /** `2/8`: undefined if there is none. */
    shard: (): Shard | undefined => {
      if (value('shard') === '') return undefined
      const [, index, of] = /^(\d{1,3})\/(\d{1,3})$/.exec(value('shard')) ?? []
      const shard = { index: Number(index), of: Number(of) }
      if (!(shard.index >= 1 && shard.index <= shard.of && shard.of <= mostShards)) {
        notA('shard', `a part such as 2/8: from 1/n to n/n, and n at most ${mostShards}`)
      }
      return shard
    },

    /** A folder that may be left out. */
    folder: (input: string): string | undefined => (value(input) === '' ? undefined : folder(input)),

    path: (): string => {
      if (value('path') === '') return missing('path', '')
      // The output would name another folder: what is shown and handed on is made harmless.
      if (neutralise(value('path').replaceAll('\0', '')) !== value('path').replaceAll('\0', '')) {
        problem('path', 'holds an invisible character, or ##[, that a log would act on')
      }
      return folder('path')
    },

    /** Never quotes the URL: whoever knows it can fake a heartbeat. */
    heartbeatUrl: (): URL | undefined => {
      const url = findHeartbeatUrl(env)
      if (value('heartbeat-url') !== '' && !url) problem('heartbeat-url', 'is not an http(s) URL')
      return url
    },
  }
}

/** A matrix has at most 256 jobs: docs.github.com/actions/reference/limits. */
const mostShards = 256

/** `~somebody`, `$HOME`, `${HOME}`, `%USERPROFILE%`. */
const unexpandedRule = /^(~[^/\\]|\$\{?[A-Za-z_]|%[A-Za-z_]+%)/
const loopbackRule = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/
const defaultUrl = new URL('https://api.sanity.io')

/** Inputs that the environment holds though they are not declared, as a workflow would write them. */
export function findUndeclared(env: Env, declared: InputNames): string[] {
  const known = new Set(declared.map(variableOf))
  return Object.keys(env)
    .filter((name) => name.startsWith('INPUT_') && env[name] !== undefined && !known.has(name))
    .map((name) => name.slice('INPUT_'.length).toLowerCase())
    .toSorted()
}

/** The variable that holds an input: actions/runner src/Runner.Worker/Handlers/Handler.cs. */
function variableOf(input: string): string {
  return `INPUT_${input.replaceAll(' ', '_').toUpperCase()}`
}

/** An input's value as `@actions/core` reads it: upper case, spaces to underscores, trimmed. */
export function inputOf(env: Env, input: string): string {
  return (env[variableOf(input)] ?? '').trim()
}

/** The Sanity token as it was given, with whatever stands around it. */
export function tokenOf(env: Env): string {
  return inputOf(env, 'token') || (env['SANITY_AUTH_TOKEN'] ?? '').trim()
}
