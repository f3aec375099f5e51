import type { SecretType } from '../../tally/secret-types.ts'
import { plural, quoteOutside } from '../../text.ts'
import type { Tools } from '../../tools.ts'

/** So many types are named; one warning is enough to look. */
const namedTypes = 5

/** Says once which types of the snapshot look like secrets, and what would leave them out. */
export function warnOfSecrets(types: readonly SecretType[], { log, clean }: Tools): void {
  if (types.length === 0) return
  const named = types.slice(0, namedTypes).map(({ type, count, pattern }) => {
    const cure = pattern === undefined ? `\`exclude-types: ${clean(quoteOutside(type))}\`` : `\`exclude-ids\` with \`${clean(pattern)}\``
    return `"${clean(quoteOutside(type))}" (${plural(count, 'document')}; ${cure} leaves them out)`
  })
  const more = types.length > named.length ? ` and ${plural(types.length - named.length, 'more type')}` : ''
  log.warning(
    `The snapshot holds documents whose type looks like a secret: ${named.join(', ')}${more}. Whoever can read the snapshot can read them. \`exclude-ids\` takes the place of its default: add to that list, do not replace it.`,
  )
}
