import { idPatternRule } from '../../format/manifest/id-pattern.ts'
import { labelRule } from '../../format/manifest/snapshot-name.ts'
import { quoteOutside } from '../../text.ts'
import { findMeant } from '../spelling.ts'

/** What a value has to be, and what to say of one that is not. Of several rules only the first broken one is reported, so the order matters. */
export type Rule = { readonly is: RegExp | ((value: string) => boolean); readonly says: string | ((value: string) => string) }

/** What is wrong with a value, with the value in quotes; undefined if it keeps all rules. */
export function findBroken(value: string, rules: readonly Rule[]): string | undefined {
  const says = findBrokenRule(value, rules)
  return says === undefined ? undefined : `"${quoteOutside(value, 80)}" ${says}`
}

/** What is wrong with a value that must not be quoted. */
export function findBrokenRule(value: string, rules: readonly Rule[]): string | undefined {
  const broken = rules.find(({ is }) => !(typeof is === 'function' ? is(value) : is.test(value)))
  return typeof broken?.says === 'function' ? broken.says(value) : broken?.says
}

const lowerCase = (value: string): string => `is not in lower case: write \`${value.toLowerCase()}\``

function didYouMean(value: string, words: readonly string[]): string {
  const meant = findMeant(value, words)
  return meant === undefined ? '' : `. Did you mean \`${meant}\`?`
}

/** Storage that is no destination, by the names that people try. */
const clouds = /^(aws|aws-?s3|s3|r2|cloudflare-?r2|gcs|gs|google-?cloud(-storage)?|azure(-?blob)?|blob|b2|minio)$/i

/** One of the destinations. */
export function destinationRules(words: readonly string[]): readonly Rule[] {
  const says =
    'is a step of its own: use `destination: directory` and copy its output `path`, as "Copy to S3, R2 or Google Cloud Storage" in docs/recipes.md shows'
  return [{ is: (value) => !clouds.test(value), says }, ...oneOfRules(words)]
}

/** One of a few words. */
export function oneOfRules(words: readonly string[]): readonly Rule[] {
  return [
    { is: (value) => words.includes(value) || !words.includes(value.toLowerCase()), says: lowerCase },
    {
      is: (value) => !/\s/.test(value) || value.split(/\s+/).some((word) => !words.includes(word)),
      says: (value) => `is not one word: write \`${quoteOutside(value.split(/\s+/).join(', '), 80)}\` if several may stand here`,
    },
    { is: (value) => words.includes(value), says: (value) => `is not one of ${words.join(', ')}${didYouMean(value, words)}` },
  ]
}

/**
 * A token as it may stand behind `Bearer`: RFC 6750, 2.1. What else is stored with it by mistake would be sent, and refused with words that
 * lead elsewhere. None of these says anything of the value.
 */
export const secretRules: readonly Rule[] = [
  { is: /^(?!bearer(\s|$))/i, says: 'begins with the word `Bearer`: store the token alone, without it' },
  { is: /^(?!["'`\u2018-\u201f«])(?!.*["'`\u2018-\u201f»]$)/s, says: 'is in quotes: store it without them' },
  { is: /^(?!\w+\s*[=:]\s*[^=\s])/, says: 'begins with a name and `=` or `:`: store what follows, alone' },
  {
    is: /^\S*$/,
    says: 'holds white space or a line break, which no token does. Was it pasted together with other text? Store the token alone, on one line',
  },
  {
    is: /^[A-Za-z0-9._~+/-]+=*$/,
    says: 'holds a character that no token has. Was it pasted together with other text? Store the token alone',
  },
]

/** The id of a project, as `sanity.io/manage` shows it. */
export const projectIdRules: readonly Rule[] = [
  { is: /^[a-z0-9-]*$/i, says: 'is not a project id: letters, digits and dashes, as sanity.io/manage shows it' },
  { is: /^.{1,64}$/, says: 'is not a project id: it is longer than 64 characters' },
  { is: /^[^-]/, says: 'is not a project id: it begins with a dash' },
  { is: /^[^A-Z]*$/, says: lowerCase },
]

/** As `@sanity/client` src/validators.ts has it. */
export const datasetRules: readonly Rule[] = [
  { is: /^[^~]/, says: 'is an alias: name the dataset that it stands for' },
  { is: /^[\w-]*$/, says: 'is not the name of a dataset: letters, digits, `_` and `-`' },
  { is: /^.{1,64}$/, says: 'is not the name of a dataset: it is longer than 64 characters' },
  { is: /^[^_-]/, says: 'is not the name of a dataset: it begins with neither a letter nor a digit' },
  { is: /^[^A-Z]/, says: lowerCase },
]

export const apiVersionRules: readonly Rule[] = [
  { is: /^v?(\d{4}-\d{2}-\d{2}|1|X)$/, says: 'is not an API version such as 2025-02-19' },
  { is: /^v?(1|X|\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01]))$/, says: 'is not an API version: there is no such day' },
]

/** The name of a type in a list. */
export const typeRules: readonly Rule[] = [
  { is: /^\S*$/, says: 'holds white space, which no type name does: separate several with commas or newlines' },
  { is: /^.{1,256}$/s, says: 'is longer than 256 characters' },
]

/** A pattern in a list of ids. */
export const idPatternRules: readonly Rule[] = [
  { is: idPatternRule, says: 'is not a pattern of ids: letters, digits, `.`, `_`, `-` and stars, at most 256' },
]

export const labelRules: readonly Rule[] = [
  { is: labelRule, says: 'is not a label: letters, digits, `.`, `_` and `-`, at most 64, and not .partial at its end' },
]

/**
 * `@actions/artifact` src/internal/upload/path-and-artifact-name-validation.ts; besides, it takes a % for the start of an escape when it
 * downloads, and prints names as they are, where the runner could take one for a command.
 */
export const artifactNameRules: readonly Rule[] = [
  { is: /^[^":<>|*?%\\/]*$/, says: 'is not a name for an artifact: it holds one of " : < > | * ? % \\ /' },
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  { is: /^[^\u0000-\u001f\u007f]*$/, says: 'is not a name for an artifact: it holds a line break or another control character' },
  { is: /^(?!.*##\[)/, says: 'is not a name for an artifact: it holds ##[, which the log would take for a command' },
  { is: /[^.]/, says: 'is not a name for an artifact: it is made of dots alone' },
  { is: /^.{1,200}$/, says: 'is not a name for an artifact: it is longer than 200 characters' },
]

/** What GitHub lets owners and repositories be called. */
export const repositoryRules: readonly Rule[] = [
  { is: /^(?!\w+:\/\/|git@)/, says: 'is an address: write `owner/name` alone' },
  { is: /^[^/]+\/[^/]+$/, says: 'is not a repository: `owner/name`' },
  { is: /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}\//, says: 'is not a repository: its owner is not letters, digits, `_` and `-`, at most 100' },
  {
    is: /\/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/,
    says: 'is not a repository: its name is not letters, digits, `.`, `_` and `-`, at most 100',
  },
]

/** A name that git takes for a branch: git-scm.com/docs/git-check-ref-format. */
export const branchRules: readonly Rule[] = [
  { is: /^(?!refs\/)/, says: (name) => `is the full name of a ref: write \`${quoteOutside(name.replace(/^refs\/(heads\/)?/, ''), 80)}\`` },
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  { is: /^[^\u0000-\u0020\u007f~^:?*[\\]*$/, says: 'is not a name for a branch: it holds white space or one of ~ ^ : ? * [ \\' },
  { is: /^.{1,200}$/, says: 'is not a name for a branch: it is longer than 200 characters' },
  { is: /^(?![-/])(?!.*(\/$|\/\/))/, says: 'is not a name for a branch: it begins with a dash or has a slash too many' },
  { is: /^(?!.*(\.\.|(^|\/)\.|\.$))/, says: 'is not a name for a branch: it has a dot at a beginning or at the end, or two in a row' },
  { is: /^(?!.*\.lock(\/|$))/, says: 'is not a name for a branch: a part of it ends in .lock' },
  { is: /^(?!@$|HEAD$|.*@\{)/, says: 'is not a name for a branch: git gives HEAD, @ and @{ a meaning of their own' },
]

/** The number of a workflow run, as `github.run_id` has it. */
export const runIdRules: readonly Rule[] = [
  { is: (value) => !/\/runs\/\d+/.test(value), says: (value) => `is an address: write \`${/\/runs\/(\d+)/.exec(value)?.[1]}\` alone` },
  { is: /^[1-9]\d{0,15}$/, says: 'is not the id of a workflow run: its digits alone, as they stand at the end of its address' },
]

/** Servers hand out a commit by its whole name only. */
export const commitRules: readonly Rule[] = [
  { is: /^(?![0-9a-fA-F]{4,39}$)/, says: 'is a short SHA: write all 40 digits, as `git rev-parse` or the page of the commit shows them' },
  { is: /^[0-9a-fA-F]{40}$/, says: 'is not the SHA of a commit: 40 hexadecimal digits' },
]

/** The digest of a plan, as the output `plan-digest` has it. */
export const digestRules: readonly Rule[] = [
  {
    is: /^sha256:[0-9a-f]{64}$/,
    says: 'is not the digest of a plan: `sha256:` and 64 hexadecimal digits, as the output `plan-digest` has them',
  },
]
