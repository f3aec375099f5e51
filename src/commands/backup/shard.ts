import type { Sealer } from '../../codec/age.ts'
import type { Compression } from '../../codec/codec.ts'
import { assetTypes } from '../../format/asset-id.ts'
import type { Filters } from '../../format/manifest/filters.ts'
import type { Shard } from '../../format/manifest/shard.ts'
import { type WrittenData, writeData } from '../../snapshot/write/data-file.ts'

/** Whether this job saves the documents. Of several shards only the first does; the others look for assets among them. */
export function savesDocuments(shard: Shard | null): boolean {
  return shard === null || shard.index === 1
}

/** The filters for the documents to fetch: a shard that saves no documents needs only those of assets. */
export function neededOf(filters: Filters, shard: Shard | null): Filters {
  return savesDocuments(shard) || filters.types.length > 0 ? filters : { ...filters, types: assetTypes }
}

/** Where the data file goes, and how it is compressed. */
export type DataNeeds = {
  readonly shard: Shard | null
  readonly folder: string
  readonly compression: Compression
  readonly compressionLevel: number
  /** Encrypts the file; undefined for a snapshot that anybody may read. */
  readonly sealer: Sealer | undefined
}

/**
 * Makes the function that writes the lines of documents as the data file. In a shard that saves no documents it reads the lines, writes nothing
 * and gives undefined. It throws what {@link writeData} throws.
 */
export function dataWriter({ shard, folder, compression, compressionLevel, sealer }: DataNeeds) {
  return async (lines: AsyncIterable<readonly Buffer[]>): Promise<WrittenData | undefined> => {
    if (savesDocuments(shard)) return await writeData(folder, { lines, compression, level: compressionLevel, sealer })
    for await (const _ of lines);
    return undefined
  }
}
