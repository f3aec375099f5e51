import { createHash } from 'node:crypto'
import { findAssetName } from '../asset-id.ts'
import { publishedId } from './filters.ts'

/** One of several jobs that share the assets of a dataset; the first also saves the documents. */
export type Shard = { readonly index: number; readonly of: number }

/** A matrix has at most 256 jobs: docs.github.com/actions/reference/limits. */
export const mostShards = 256

/** Whether numbers are those of a shard: from 1 of n to n of n. */
export function isShard({ index, of }: Shard): boolean {
  return index >= 1 && index <= of && of <= mostShards
}

/** Whether a shard saves an asset. By hash, so that every asset has exactly one shard, also one whose id names no file. */
export function isInShard(id: string, { index, of }: Shard): boolean {
  const sha1 = findAssetName(id)?.sha1 ?? createHash('sha1').update(publishedId(id)).digest('hex')
  return Number.parseInt(sha1.slice(0, 12), 16) % of === index - 1
}

/** What the names of a shard's snapshot and artifact end in; nothing for a whole one. */
export function shardSuffix(shard: Shard | null): string {
  return shard === null ? '' : `-shard-${shard.index}-of-${shard.of}`
}
