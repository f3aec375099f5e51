import type { SecretType } from '../../tally/secret-types.ts'
import type { Tally } from '../../tally/tally.ts'
import { plural, quoteOutside } from '../../text.ts'
import type { Tools } from '../../tools.ts'

/** What else decides on what is worth a warning. */
export type WarningNeeds = {
  /** Null where Sanity did not tell. */
  readonly fullRead: boolean | null
  /** Whether the snapshot holds the documents: one of several shards does. */
  readonly holdsDocuments: boolean
  /** Whether each document becomes a file of its own on a branch. */
  readonly asTextOnBranch: boolean
}

/** Warns of what a user should know of the documents in a snapshot. The snapshot is whole all the same. */
export function warnOfDocuments(tally: Tally, { fullRead, holdsDocuments, asTextOnBranch }: WarningNeeds, { log, clean }: Tools): void {
  if (fullRead === null) log.info('Sanity did not tell whether the token may read every document.')
  const secrets = holdsDocuments ? secretTypes(tally, clean) : undefined
  const names = asTextOnBranch ? unsafeNames(tally) : undefined
  const warnings = [unreadable(fullRead), damagedText(tally), ownToken(tally), secrets, notImportable(tally), untaken(tally, clean), names]
  for (const warning of warnings) if (warning !== undefined) log.warning(warning)
}

function unreadable(fullRead: boolean | null): string | undefined {
  if (fullRead !== false) return undefined
  return 'The token’s role does not grant reading every document, so documents may be missing from this snapshot without a trace. Give the token the Viewer role.'
}

function damagedText({ damaged }: Tally): string | undefined {
  if (damaged === 0) return undefined
  return `${plural(damaged, 'document')} held the character U+FFFD: text that was damaged before it came to Sanity. The snapshot keeps it as it is, and \`sanity dataset import\` takes it only with \`--allow-replacement-characters\`.`
}

function ownToken({ holdsToken }: Tally): string | undefined {
  if (!holdsToken) return undefined
  return 'A document in the dataset holds the Sanity token itself. Delete that token at sanity.io/manage and make a new one: whoever can read the document, or this snapshot, has it.'
}

/** So many types are named; one warning is enough to look. */
const namedTypes = 5

/** Says which types of the snapshot look like secrets, and what would leave them out. */
function secretTypes({ secretTypes: types }: Tally, clean: Tools['clean']): string | undefined {
  if (types.length === 0) return undefined
  const named = types.slice(0, namedTypes).map((each) => describeSecretType(each, clean))
  const more = types.length > named.length ? ` and ${plural(types.length - named.length, 'more type')}` : ''
  return `The snapshot holds documents whose type looks like a secret: ${named.join(', ')}${more}. Whoever can read the snapshot can read them. \`exclude-ids\` takes the place of its default: add to that list, do not replace it.`
}

function describeSecretType({ type, count, pattern }: SecretType, clean: Tools['clean']): string {
  const cure = pattern === undefined ? `\`exclude-types: ${clean(quoteOutside(type))}\`` : `\`exclude-ids\` with \`${clean(pattern)}\``
  return `"${clean(quoteOutside(type))}" (${plural(count, 'document')}; ${cure} leaves them out)`
}

/** The stock importer would stop on the day on which the snapshot is needed; today there is time to mend the documents. */
function notImportable({ lacking }: Tally): string | undefined {
  if (lacking.size === 0) return undefined
  const count = [...lacking.values()].reduce((sum, each) => sum + each, 0)
  const properties = [...lacking.keys()].map((property) => `\`${property}\``).join(', ')
  return `${plural(count, 'document')} of assets ${count === 1 ? 'lacks' : 'lack'} what \`sanity dataset import\` asks for (${properties}). The snapshot is whole, but that import would stop before its first write. Give them what they lack in Sanity, or see "If the import complains" in docs/restore.md.`
}

/** What lies in the Media Library has no address of its own: only leaving it out helps. */
function untaken({ untaken: byType }: Tally, clean: Tools['clean']): string | undefined {
  if (byType.size === 0) return undefined
  const count = [...byType.values()].reduce((sum, each) => sum + each, 0)
  const types = [...byType.keys()].map((type) => clean(quoteOutside(type)))
  return `${plural(count, 'document')} of assets in the Media Library (${types.join(', ')}) ${count === 1 ? 'is none' : 'are none'} that \`sanity dataset import\` takes, and nobody can change that in Sanity. The snapshot is whole, but that import would stop before its first write. When you import, leave those lines out of the file: see "If the import complains" in docs/restore.md. \`exclude-types: ${types.join(',')}\` leaves them out of the snapshot.`
}

function unsafeNames({ unsafeNames: count }: Tally): string | undefined {
  if (count === 0) return undefined
  return `${plural(count, 'document')} ${count === 1 ? 'has' : 'have'} a type or an id that is no name for a file on every system: one like \`con\` or \`nul\` on Windows, or one over 255 bytes anywhere. The branch holds them as they are, but unpacking it there breaks. docs/format.md shows how to read them without unpacking ("Names that no disk takes"); \`branch-layout: compressed\` avoids it.`
}
