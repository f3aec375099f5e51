import { publishedId } from '../format/manifest/filters.ts'
import { idPatternRule } from '../format/manifest/id-pattern.ts'

/** A type of documents that looks like a secret, and what would leave them out. */
export type SecretType = {
  readonly type: string
  readonly count: number
  /** For `exclude-ids`; undefined if no single one fits them and little else. */
  readonly pattern: string | undefined
}

/** Words that stand in the names of types in which Studio plugins keep keys: `mux.apiKey`, `pluginSecrets`, `sanity.previewUrlSecret`. */
const secretWords =
  /\b(secrets?|credentials?|passwords?|(api|access|private|secret|signing|encryption) ?keys?|(api|access|auth|refresh|bearer|bot) ?tokens?)\b/

/** Whether the name of a type says that its documents hold a secret. */
export function looksSecret(type: string): boolean {
  const words = type
    .slice(0, 200)
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .replace(/[^A-Za-z0-9]+/g, ' ')
  return secretWords.test(words.toLowerCase())
}

/** Adds a document to what is known of its type. */
export function withDocument({ type, count, pattern }: SecretType, id: string): SecretType {
  const published = publishedId(id)
  const own = idPatternRule.test(published) && !published.includes('*') ? published : undefined
  return { type, count: count + 1, pattern: count === 0 ? own : pattern && own && patternForBoth(pattern, own) }
}

/** The pattern itself, if it matches the id; else that of the first segment that both begin with, if they do. */
function patternForBoth(pattern: string, id: string): string | undefined {
  const [first = '', ...rest] = id.split('.')
  if (pattern === id) return pattern
  return rest.length > 0 && pattern.startsWith(`${first}.`) ? `${first}.**` : undefined
}
