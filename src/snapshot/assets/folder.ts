import { createReadStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Sealer } from '../../codec/age.ts'
import { type AssetName, assetFolders } from '../../format/asset-id.ts'
import type { ProvenBy, SavedFile } from '../../format/ledger.ts'
import type { FileEntry } from '../../format/manifest/manifest.ts'
import { sealedName } from '../../format/manifest/sealed.ts'
import { digester } from '../../streams/digest.ts'
import { tap } from '../../streams/tap.ts'
import type { Algorithm } from '../../threads/digest-files.ts'
import { digestFile } from '../check/file-digests.ts'
import { syncFolder } from '../workshop/files.ts'
import { writeSealed } from '../write/sealed-file.ts'
import { writeOneOfMany } from '../write/whole-file.ts'

/** What is known of an asset's bytes before they come. */
type Expected = {
  readonly name: AssetName
  /** The SHA-1 by its document, where its name has none. */
  readonly sha1hash: string | undefined
  /** By its document; undefined if that says nothing. */
  readonly sizeBytes: number | undefined
  /** By the asset host; undefined where nobody was asked. */
  readonly claims: { readonly md5: string | undefined; readonly sha1: string | undefined } | undefined
}

/** Nothing proves the bytes that came; `tooMany`: so many came that the end was not waited for. */
export class UnprovenError extends Error {
  readonly tooMany: boolean

  constructor(path: string, { tooMany }: { tooMany: boolean }) {
    super(`nothing proves the bytes of ${path}`)
    this.name = 'UnprovenError'
    this.tooMany = tooMany
  }
}

/** An asset's file, and its entry for the manifest. */
export type SavedAsset = SavedFile & { readonly entry: FileEntry }

/** The files of assets in a snapshot's folder. */
export type AssetFolder = {
  /**
   * Writes the bytes of an asset, under its name only when they are proven. `keep` is shown a file with these bytes, in the clear, which need not stay.
   * Throws {@link UnprovenError}, `disk-full`, and whatever the chunks throw; then nothing of them is left.
   */
  readonly save: (chunks: AsyncIterable<Buffer>, expected: Expected, keep?: (file: string) => Promise<void>) => Promise<SavedAsset>
  readonly remove: (path: string) => Promise<void>
  /** Brings the names of all files to disk. */
  readonly sync: () => Promise<void>
}

/** How the files of assets are encrypted. `plainFolder`: where they lie in the clear until they are. */
type Sealing = { readonly sealer: Sealer; readonly plainFolder: string }

type FolderNeeds = { readonly signal: AbortSignal; readonly sealing?: Sealing | undefined }

/** Makes the folders for the files of assets in the folder of a snapshot. */
export async function makeAssetFolder(folder: string, { signal, sealing }: FolderNeeds): Promise<AssetFolder> {
  for (const place of sealing ? [folder, sealing.plainFolder] : [folder]) {
    for (const path of Object.values(assetFolders)) await mkdir(join(place, path), { recursive: true, mode: 0o700 })
  }
  return {
    save: async (chunks, expected, keep = async () => undefined) => {
      const saved = await saveProven(sealing?.plainFolder ?? folder, chunks, { expected, signal })
      const { path, sizeBytes, digest } = saved
      const plain = join(sealing?.plainFolder ?? folder, path)
      await keep(plain)
      if (sealing === undefined) return { ...saved, entry: { path, sizeBytes, digest } }
      try {
        return { ...saved, entry: await sealAsset(folder, path, { plain, sealer: sealing.sealer }) }
      } finally {
        await rm(plain, { force: true })
      }
    },
    remove: async (path) => await rm(join(folder, sealing ? sealedName(path) : path), { force: true }),
    sync: async () => {
      const folders = Object.values(assetFolders)
      for (const path of [...folders, dirname(folders[0] as string), '.']) await syncFolder(join(folder, path))
    },
  }
}

type ToProve = { readonly expected: Expected; readonly signal: AbortSignal }

async function saveProven(folder: string, chunks: AsyncIterable<Buffer>, { expected, signal }: ToProve): Promise<SavedFile> {
  const { path } = expected.name
  let saved: SavedFile | undefined
  await writeOneOfMany(folder, path, {
    chunks: limited(chunks, expected),
    prove: async (file) => {
      const { bytes: sizeBytes, digests } = await digestFile(file, algorithmsFor(expected), signal)
      const provenBy = findProof({ ...digests, sizeBytes }, expected)
      if (provenBy === undefined) throw new UnprovenError(path, { tooMany: false })
      saved = { path, sizeBytes, digest: `sha256:${digests.sha256}`, provenBy }
    },
  })
  return saved as SavedFile
}

async function sealAsset(folder: string, path: string, { plain, sealer }: { plain: string; sealer: Sealer }): Promise<FileEntry> {
  const content = digester()
  const chunks = createReadStream(plain, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>
  const seal = await sealer.newFile()
  const tapped = tap(chunks, content.update)
  return await writeSealed(folder, path, { chunks: tapped, seal, content, unpack: (opened) => opened, write: writeOneOfMany })
}

/** Lets the bytes of an asset through while there are not too many of them. */
async function* limited(chunks: AsyncIterable<Buffer>, expected: Expected): AsyncGenerator<Buffer> {
  const most = mostBytes(expected)
  let bytes = 0
  for await (const chunk of chunks) {
    bytes += chunk.length
    if (bytes > most) throw new UnprovenError(expected.name.path, { tooMany: true })
    yield chunk
  }
}

function algorithmsFor({ claims }: Expected): readonly Algorithm[] {
  return claims?.md5 === undefined ? ['sha1', 'sha256'] : ['sha1', 'sha256', 'md5']
}

type Digests = { readonly sha1: string; readonly md5: string; readonly sizeBytes: number }

/**
 * What proves the bytes. Sanity takes the SHA-1 when a file is uploaded, before an SVG is cleaned of scripts, so that the stored file can differ
 * from the id (sanity-io/sanity pull requests 3453 and 3462, issue 3297): then the asset host's digest of what it has stored decides, and, for
 * anything but an SVG, the size in the document too.
 */
export function findProof(bytes: Digests, { name, sha1hash, sizeBytes, claims }: Expected): ProvenBy | undefined {
  if (bytes.sha1 === name.sha1) return 'sha1'
  if (name.sha1 === undefined && bytes.sha1 === sha1hash) return 'sha1hash'
  if (claims === undefined) return undefined
  const sizeFits = isSvg(name) ? bytes.sizeBytes > 0 : sizeBytes === bytes.sizeBytes
  if (!sizeFits) return undefined
  if (claims.md5 !== undefined) return claims.md5 === bytes.md5 ? 'x-sanity-md5' : undefined
  return claims.sha1 === bytes.sha1 ? 'x-sanity-sha1' : undefined
}

/** Whether the stored bytes may differ from those that were uploaded. */
export function isSvg({ extension }: AssetName): boolean {
  return extension.toLowerCase() === 'svg'
}

/** No file is so much larger than its document says. What goes on after that has no end, and would fill the disk. */
function mostBytes({ sizeBytes = Number.POSITIVE_INFINITY }: Expected): number {
  return sizeBytes * 4 + 16 * 1024 * 1024
}
