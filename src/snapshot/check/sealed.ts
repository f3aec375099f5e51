import { createHash } from 'node:crypto'
import { messageOf } from '../../errors.ts'
import { findInDetails } from '../../format/findings/details-findings.ts'
import { fileFinding } from '../../format/findings/finding.ts'
import type { FileEntry, StoredManifest } from '../../format/manifest/manifest.ts'
import { type Details, detailsFile, openManifest, sealedName } from '../../format/manifest/sealed.ts'
import { digester } from '../../streams/digest.ts'
import { quoteOutside } from '../../text.ts'
import { readDetails } from '../read/details.ts'
import { openedFile, type Reading } from '../read/opened.ts'
import { differs, isOther } from './data.ts'
import type { Look } from './look.ts'

/** An encrypted file that holds no lines. `sha1`: what its content must have; undefined where it need not be looked at. */
type Sealed = { readonly folder: string; readonly entry: FileEntry; readonly sha1: string | undefined }

/** Checks an encrypted file in one pass: what is stored, and what it holds once it is opened. */
export async function checkSealed({ folder, entry, sha1 }: Sealed, look: Look): Promise<void> {
  const hash = createHash('sha1')
  const isWhole = await readWhole(entry, look, async (reading) => {
    for await (const chunk of openedFile({ folder, path: entry.path }, reading)) if (sha1 !== undefined) hash.update(chunk)
  })
  if (!isWhole || sha1 === undefined) return
  const found = hash.digest('hex')
  if (found !== sha1) look.findings.add(fileFinding('asset-not-its-hash', entry.path, `holds bytes whose SHA-1 is ${found}`))
}

/** Where the manifest of an encrypted snapshot lies, and the files of it that can be read. */
type ToOpen = { readonly manifest: StoredManifest; readonly folder: string; readonly files: readonly FileEntry[] }

/** Checks the file of details, and gives the manifest together with what that says; without it where it cannot be relied on. */
export async function checkDetails({ manifest, folder, files }: ToOpen, look: Look): Promise<StoredManifest> {
  const { findings } = look
  const path = sealedName(detailsFile)
  const entry = files.find((file) => file.path === path)
  if (entry === undefined) return manifest
  let details: Details | undefined
  const isWhole = await readWhole(entry, look, async (reading) => {
    details = await readDetails(folder, reading)
  })
  if (!isWhole) return manifest
  if (details === undefined) {
    findings.add(fileFinding('content-unreadable', path, 'does not hold what the manifest leaves out'))
    return manifest
  }
  findings.add(...findInDetails(manifest, details))
  return openManifest(manifest, details)
}

/** Has a file read to its end, and compares what is stored and what it held. Gives whether both are what the manifest says. */
async function readWhole(
  entry: FileEntry,
  { findings, signal, opener }: Look,
  read: (reading: Reading) => Promise<void>,
): Promise<boolean> {
  const { path, digest } = entry
  const stored = digester()
  const content = digester()
  try {
    await read({ opener, signal, onStored: stored.update, onOpened: content.update })
  } catch (error) {
    signal.throwIfAborted()
    findings.add(fileFinding('content-unreadable', path, `cannot be read: ${quoteOutside(messageOf(error), 200)}`))
    return false
  }
  if (stored.result().digest !== digest) findings.add(fileFinding('digest-differs', path, `has another digest than ${digest}`))
  else if (isOther(entry, content.result())) findings.add(fileFinding('content-differs', path, differs))
  else return true
  return false
}
