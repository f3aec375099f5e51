import { type Shard, shardSuffix } from './shard.ts'

/** What a label may be. A folder whose name ends in `.partial` is a leftover. */
export const labelRule = /^(?!.*\.partial$)[A-Za-z0-9._-]{1,64}$/

/** The name of a snapshot: `<project-id>-<dataset>-<YYYYMMDDTHHMMSSZ>[-<label>][-shard-<i>-of-<n>]`, the time in UTC. */
export function snapshotName({
  projectId,
  dataset,
  takenAt,
  label,
  shard,
}: {
  projectId: string
  dataset: string
  takenAt: Date
  label: string | null
  shard: Shard | null
}): string {
  const time = isoSeconds(takenAt).replace(/[-:]/g, '')
  return [projectId, dataset, time, ...(label === null ? [] : [label])].join('-') + shardSuffix(shard)
}

/** A time as manifests hold it: ISO 8601, UTC, whole seconds. */
export function isoSeconds(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z')
}

/** The name of a set of shards, by that of one of them. A whole snapshot has its own. */
export function nameOfSet(name: string): string {
  return name.replace(/-shard-\d+-of-\d+$/, '')
}
