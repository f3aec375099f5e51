import { join } from 'node:path'
import { messageOf } from '../../errors.ts'
import { assetTypes, isSha1 } from '../../format/asset-id.ts'
import { type FindingKind, type Findings, fileFinding } from '../../format/findings/finding.ts'
import { type ListedFile, listingCheck } from '../../format/findings/listing-check.ts'
import { findInManifest } from '../../format/findings/manifest-findings.ts'
import { ledgerFile } from '../../format/ledger.ts'
import type { FileEntry, StoredManifest } from '../../format/manifest/manifest.ts'
import { detailsFile, isSealed, plainName, sealedName } from '../../format/manifest/sealed.ts'
import { type KeyJournal, keyJournal } from '../../streams/id-set.ts'
import { workThrough } from '../../streams/workers.ts'
import { quoteOutside } from '../../text.ts'
import { type DocumentFiles, dataFilesIn, placedLines } from '../read/document-lines.ts'
import { checkLines, type LinesFile } from './data.ts'
import { addDocumentFile } from './document-files.ts'
import { type AddDocument, documentsCheck } from './documents.ts'
import { digestFile } from './file-digests.ts'
import { type Ledger, ledgerCheck } from './ledger.ts'
import type { Look } from './look.ts'
import { checkDetails, checkSealed } from './sealed.ts'

/** A snapshot, or one shard of it, that can be read. At the level `structure` nothing but the list is looked at. */
export type Part = {
  readonly manifest: StoredManifest
  /** Holds the files that the manifest lists. */
  readonly folder: string
  /** Every file that lies there, but for those of `documents.paths`. */
  readonly listed: readonly ListedFile[]
  /** What was wrong with files already when they were fetched; `message` goes on after the path. */
  readonly odd?: readonly { readonly kind: FindingKind; readonly path: string; readonly message: string }[]
  readonly documents?: DocumentFiles
}

/** Which assets there are by the documents, and which have their file. */
export type AssetsSeen = { readonly ledger: Ledger | undefined; readonly ids: Pick<KeyJournal, 'keys'> }

/** Adds all that is wrong with a part. Nothing that the manifest says is trusted. */
export async function checkPart(part: Part, look: Look): Promise<AssetsSeen> {
  const { manifest, odd = [] } = part
  const { findings, level } = look
  // Whoever wrote the manifest knows what it says.
  if (level !== 'stored') findings.add(...findInManifest(manifest))
  findings.add(...odd.map(({ kind, path, message }) => fileFinding(kind, path, message)))
  const files = await checkListing(part, findings)
  if (level === 'structure') return { ledger: undefined, ids: keyJournal() }
  const wrong = new Set(odd.map(({ path }) => path))
  const readable = files.filter(({ path }) => !wrong.has(path))
  if (level === 'stored' || manifest.encryption == null) return await checkBytes(part, readable, look)
  const opened = await checkDetails({ ...part, files: readable }, look)
  return await checkBytes(
    { ...part, manifest: opened },
    readable.filter(({ path }) => path !== sealedName(detailsFile)),
    look,
  )
}

async function checkListing({ manifest, listed, documents }: Part, findings: Findings): Promise<FileEntry[]> {
  const { add, end } = listingCheck(manifest, findings)
  for (const file of listed) add(file)
  if (documents) for await (const path of documents.paths()) add({ path, sizeBytes: undefined })
  return end()
}

async function checkBytes(part: Part, files: readonly FileEntry[], look: Look): Promise<AssetsSeen> {
  const ledger = await checkLedger(part, files, look)
  const dataFiles = look.level === 'data' ? linesFilesIn(part, files) : []
  const unpacked = new Set<string>(dataFiles.flatMap(({ parts }) => parts.map(({ path }) => path)))
  const ids = keyJournal()
  const onAsset = (id: string): void => ids.add(id)
  const works = [
    async () => await checkDocuments(part, { dataFiles, onAsset }, look),
    ...files
      .filter((entry) => !unpacked.has(entry.path) && !(ledger && isLedger(entry)))
      .map((entry) => async () => await checkFile(part, { entry, ledger }, look)),
  ]
  await workThrough(works.values(), { concurrency }, async (work) => await work())
  return { ledger, ids }
}

/** One file can be digested while others are read. */
const concurrency = 4

async function checkLedger({ manifest, folder }: Part, files: readonly FileEntry[], look: Look): Promise<Ledger | undefined> {
  const entry = files.find(isLedger)
  // One that is encrypted is only opened where all is.
  if (entry === undefined || (look.level === 'stored' && isSealed(entry))) return undefined
  const ledger = ledgerCheck(manifest, look.findings)
  if (await checkLines({ folder, name: entry.path, parts: [entry] }, ledger.add, look)) ledger.end()
  return ledger
}

function isLedger({ path }: FileEntry): boolean {
  return plainName(path) === ledgerFile
}

/** The data file, or each if there are too many. One whose parts are not all there is not unpacked. */
function linesFilesIn({ manifest, folder }: Part, files: readonly FileEntry[]): LinesFile[] {
  const here = new Set(files)
  return dataFilesIn(manifest)
    .filter(({ parts }) => parts.every((part) => here.has(part)))
    .map((file) => ({ ...file, folder }))
}

type Documents = { readonly dataFiles: readonly LinesFile[]; readonly onAsset: (id: string) => void }

async function checkDocuments({ manifest, documents }: Part, { dataFiles, onAsset }: Documents, look: Look): Promise<void> {
  const { findings, signal, opener } = look
  const isText = manifest.branch !== undefined && documents !== undefined
  if (!isText && dataFiles.length === 0) return
  const check = documentsCheck(manifest, findings)
  const add: AddDocument = (line, place) => {
    const document = check.add(line, place)
    if (document && assetTypeNames.has(document.type)) onAsset(document.id)
    return document
  }
  const readText = async (each: (file: { path: string; content: Buffer }) => void) => {
    for await (const file of documents?.files() ?? []) {
      signal.throwIfAborted()
      each(file)
    }
  }
  let isWhole = true
  if (isText) await readText((file) => addDocumentFile(manifest, file, { add, findings }))
  for (const file of dataFiles) {
    const addLine = (line: Buffer, number: number) => add(line, { path: file.name, line: number })
    isWhole = (await checkLines(file, addLine, look)) && isWhole
  }
  if (!isWhole) return
  await check.end(async (again) => {
    if (isText) await readText((file) => addDocumentFile(manifest, file, { add: again, findings: nowhere }))
    for (const { folder, name, parts } of dataFiles) {
      const lines = placedLines({ folder, path: name, parts: parts.map(({ path }) => path) }, { opener, signal })
      for await (const batch of lines) for (const { line, place } of batch) again(line, place)
    }
  })
}

const assetTypeNames: ReadonlySet<string> = new Set(assetTypes)

/** For what was told already. */
const nowhere: Findings = { add: () => undefined, addMore: () => undefined, isFull: () => true, result: () => [] }

type FileLook = { readonly entry: FileEntry; readonly ledger: Ledger | undefined }

async function checkFile({ folder }: Part, { entry, ledger }: FileLook, look: Look): Promise<void> {
  const { level, findings, signal } = look
  const sha1 = level === 'data' ? findSha1(plainName(entry.path), ledger) : undefined
  if (level === 'data' && isSealed(entry)) return await checkSealed({ folder, entry, sha1 }, look)
  const { path, digest } = entry
  try {
    const { digests } = await digestFile(join(folder, path), sha1 === undefined ? ['sha256'] : ['sha256', 'sha1'], signal)
    if (`sha256:${digests.sha256}` !== digest) {
      findings.add(fileFinding('digest-differs', path, `has the digest sha256:${digests.sha256} instead of ${digest}`))
    } else if (sha1 !== undefined && sha1 !== digests.sha1) {
      findings.add(fileFinding('asset-not-its-hash', path, `holds bytes whose SHA-1 is ${digests.sha1}`))
    }
  } catch (error) {
    signal.throwIfAborted()
    findings.add(fileFinding('content-unreadable', path, `cannot be read: ${quoteOutside(messageOf(error), 200)}`))
  }
}

/** The SHA-1 that the bytes of an asset must have, by its name in the clear; undefined where the name has none, or Sanity has changed the bytes. */
function findSha1(path: string, ledger: Ledger | undefined): string | undefined {
  const hash = /^assets\/(?:images|files)\/([0-9a-f]{40})[-.]/.exec(path)?.[1]
  if (!isSha1(hash)) return undefined
  const mayBeChanged = ledger === undefined ? /\.svg$/i.test(path) : ledger.isChanged(path)
  return mayBeChanged ? undefined : hash
}
