/** What a label may be. */
export const labelRule = /^[A-Za-z0-9._-]{1,64}$/

/** The name of a snapshot: `<project-id>-<dataset>-<YYYYMMDDTHHMMSSZ>[-<label>]`, the time in UTC. */
export function snapshotName({
  projectId,
  dataset,
  takenAt,
  label,
}: {
  projectId: string
  dataset: string
  takenAt: Date
  label: string | null
}): string {
  const time = isoSeconds(takenAt).replace(/[-:]/g, '')
  return [projectId, dataset, time, ...(label === null ? [] : [label])].join('-')
}

/** A time as manifests hold it: ISO 8601, UTC, whole seconds. */
export function isoSeconds(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z')
}
