import { type Opener, opener } from '../codec/age.ts'
import type { Chosen } from '../destinations/choose.ts'
import type { Fetched } from '../destinations/destination.ts'
import { BackupError } from '../errors.ts'
import type { StoredManifest } from '../format/manifest/manifest.ts'
import { findOpening } from '../snapshot/read/lock.ts'
import { quoteOutside } from '../text.ts'
import type { Tools } from '../tools.ts'

/** For every command that reads what an encrypted snapshot holds. */

type Parts = Pick<Chosen, 'parts'>

/** What opens a snapshot that was chosen, before anything of it is fetched; undefined if it is plain. Throws `snapshot-locked` without an identity. */
export function openerFor({ parts }: Parts, identities: readonly string[] | undefined, { log }: Pick<Tools, 'log'>): Opener | undefined {
  const encrypted = parts.filter(({ manifest }) => isEncrypted(manifest))
  const [locked] = encrypted
  if (locked === undefined) {
    if (identities) log.warning(notEncrypted)
    return undefined
  }
  const { snapshot } = locked.manifest
  const unknown = encrypted.find(({ manifest: { encryption } }) => encryption?.format !== 'age/v1')
  if (unknown !== undefined) throw unknownFormat(unknown.manifest)
  if (identities) return opener(identities)
  throw new BackupError({
    code: 'snapshot-locked',
    title: 'The snapshot is encrypted',
    message: `The snapshot ${quoteOutside(snapshot, 200)} is encrypted, and \`identity\` is empty, so its content was not read. ${recipientsOf(locked.manifest)}`,
    hint: 'Give the input `identity` the secret key of one of these recipients, from a secret (runs from forks get none). Without a key, `level: structure` of verify looks at the manifest, names and sizes.',
  })
}

/** Throws `snapshot-locked` if none of the identities opens any file of the snapshot that was fetched. One that opens some is for the check to judge. */
export async function ensureUnlocked({ parts }: Parts, fetched: readonly Fetched[], opener: Opener | undefined): Promise<void> {
  if (opener === undefined) return
  const sealed = parts.flatMap(({ manifest }, index) => {
    const folder = fetched[index]?.folder
    return folder === undefined || !isEncrypted(manifest) ? [] : [{ manifest, folder }]
  })
  if ((await findOpening(sealed, opener)) !== 'locked') return
  const { manifest } = sealed[0] ?? { manifest: parts[0].manifest }
  throw new BackupError({
    code: 'snapshot-locked',
    title: 'The snapshot is locked',
    message: `No key in \`identity\` opens the snapshot ${quoteOutside(manifest.snapshot, 200)}. ${recipientsOf(manifest)}`,
    hint: 'Give `identity` the secret key of one of these recipients: `age-keygen -y key.txt` prints the recipient that belongs to a key. docs/encryption.md tells what to do if it is lost.',
  })
}

const isEncrypted = ({ encryption }: StoredManifest): boolean => encryption != null

const notEncrypted =
  'The snapshot is not encrypted, so `identity` opened nothing. If backups are meant to be encrypted, look at `encrypt-to` in the workflow that makes them.'

/** So many are named. */
const mostRecipients = 10

function recipientsOf({ encryption }: StoredManifest): string {
  const recipients = encryption?.recipients ?? []
  if (recipients.length === 0) return 'Its manifest names no recipient.'
  const named = recipients.slice(0, mostRecipients).map((each) => quoteOutside(each, 80))
  const more = recipients.length - named.length
  return `It is encrypted to ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}.`
}

function unknownFormat({ snapshot, encryption }: StoredManifest): BackupError {
  return new BackupError({
    code: 'snapshot-invalid',
    title: 'The snapshot is encrypted in another way',
    message: `The snapshot ${quoteOutside(snapshot, 200)} is encrypted as "${quoteOutside(encryption?.format ?? '', 40)}", which this version does not know.`,
    hint: 'If it was made by a newer version of sanity-backup, update the action.',
  })
}
