import { type Sealer, sealer } from '../../codec/age.ts'
import type { Recipients } from '../../codec/age-keys.ts'
import { BackupError } from '../../errors.ts'
import type { Manifest, StoredManifest } from '../../format/manifest/manifest.ts'
import { detailsFile, type PlainManifest, printDetails, recipientsLost, sealManifest } from '../../format/manifest/sealed.ts'
import { writeSealedBytes } from '../../snapshot/write/sealed-file.ts'
import { quoteOutside } from '../../text.ts'
import type { Tools } from '../../tools.ts'

/** What encrypts the files of a snapshot, and to whom. */
export type Sealing = { readonly sealer: Sealer; readonly recipients: readonly string[] }

/** Tries each recipient out, and makes what encrypts to them; undefined without recipients. Throws `input-invalid` for one that takes nothing. */
export async function openSealing(recipients: Recipients | undefined, { log }: Pick<Tools, 'log'>): Promise<Sealing | undefined> {
  if (recipients === undefined) return undefined
  const made = await sealer(recipients)
  if ('problems' in made) throw unusable(made.problems.map(({ line }) => line))
  for (const line of recipients.repeated) log.warning(`encrypt-to: line ${line} says the same as a line before it. It counts once.`)
  return { sealer: made, recipients: recipients.keys.map(({ text }) => text) }
}

function unusable(lines: readonly number[]): BackupError {
  return new BackupError({
    code: 'input-invalid',
    title: 'A recipient cannot be used',
    message: `encrypt-to: nothing can be encrypted to ${lines.map((line) => `line ${line}`).join(', ')}, although it looks like a recipient. Nothing was fetched or stored.`,
    hint: 'Make a new key with `age-keygen`, and write the line that begins with `age1` here.',
  })
}

/** Writes what the manifest of an encrypted snapshot leaves out into a file of its own, and gives that manifest. Throws `disk-full`. */
export async function sealUp(folder: string, manifest: PlainManifest, { sealer, recipients }: Sealing): Promise<Manifest> {
  const details = await writeSealedBytes(folder, detailsFile, { bytes: printDetails(manifest), seal: await sealer.newFile() })
  return sealManifest(manifest, recipients, details)
}

/** Warns if others can open this snapshot than the one before. */
export function warnOfOtherRecipients(now: Manifest, previous: StoredManifest, { log }: Pick<Tools, 'log'>): void {
  const before = `The snapshot before (${quoteOutside(previous.snapshot, 200)})`
  if ((previous.encryption ?? null) === null) {
    if (now.encryption !== null) log.info(`${before} is not encrypted: whoever could read it still can. This one is.`)
    return
  }
  if (now.encryption === null) {
    log.warning(`${before} is encrypted, and this one is not. If that is not what you want, look at \`encrypt-to\`, and delete this one.`)
    return
  }
  const added = recipientsLost(now, previous)
  const gone = recipientsLost(previous, now)
  if (added.length + gone.length === 0) return
  log.warning(
    `${before} was encrypted to other recipients. ${words('Added', added)}${words('Gone', gone)}Who holds a key that is gone can still open the snapshots before; see docs/encryption.md.`,
  )
}

function words(what: string, recipients: readonly string[]): string {
  return recipients.length === 0 ? '' : `${what}: ${recipients.map((each) => quoteOutside(each, 80)).join(', ')}. `
}
