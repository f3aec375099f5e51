import { messageOf } from '../../errors.ts'

/** The artifact client, as far as the artifacts of this workflow run are looked at. */
export type RunArtifacts = {
  readonly listArtifacts: () => Promise<{ readonly artifacts: readonly Listed[] }>
  readonly deleteArtifact: (name: string) => Promise<unknown>
}

/** An artifact of this workflow run as the service lists it. `digest` as `sha256:<hex>`. */
type Listed = { readonly name: string; readonly id: number; readonly size: number; readonly digest?: string | undefined }

type Wait = (ms: number) => Promise<void>

/** The service's list can be behind what is stored. So long one waits before asking it again, in milliseconds. */
export const lagsMs = [500, 1_000, 2_000, 3_000] as const

/** Finds a finished artifact of this workflow run; undefined if it is not listed, though it was asked for again for some seconds. */
export async function findInRun(client: RunArtifacts, name: string, wait: Wait): Promise<Listed | undefined> {
  for (const lagMs of [0, ...lagsMs]) {
    await wait(lagMs)
    const listed = (await listedAs(client, name))?.[0]
    if (listed) return listed
  }
  return undefined
}

/**
 * Removes an artifact that is known to be finished. Whether that worked: one that is not listed counts as gone only if it was listed before, and the
 * list is asked again for some seconds.
 */
export async function removeFinished(client: RunArtifacts, name: string, wait: Wait): Promise<boolean> {
  let seen = false
  for (const lagMs of [0, ...lagsMs]) {
    await wait(lagMs)
    const listed = await listedAs(client, name)
    if (listed === undefined) continue
    if (listed.length === 0 && seen) return true
    if (listed.length === 0) continue
    seen = true
    const gone = await client.deleteArtifact(name).then(
      () => true,
      (error: unknown) => /DeleteArtifact: .*\(404\)/.test(messageOf(error)),
    )
    if (gone) return true
  }
  return false
}

/** The newest first; undefined if the service does not tell. */
async function listedAs(client: RunArtifacts, name: string): Promise<Listed[] | undefined> {
  const list = await client.listArtifacts().catch(() => undefined)
  return list?.artifacts.filter((artifact) => artifact.name === name).sort((a, b) => b.id - a.id)
}
