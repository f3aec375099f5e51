import type { branchDestination } from '../../../src/destinations/branch/branch.ts'
import type { BranchLayout } from '../../../src/destinations/branch/commit/files.ts'
import { stopwatch } from '../../../src/stopwatch.ts'
import type { Git } from '../../doubles/git.ts'
import { exampleManifest } from '../../snapshot/example.ts'

export const branch = 'sanity-backups'

type Change = { readonly git: Git; readonly signal: AbortSignal; readonly temp: string; readonly layout: BranchLayout }

/** What a run hands to the destination, without waits. */
export function options({ git, signal, temp, layout }: Change): Parameters<typeof branchDestination>[0] {
  return {
    remote: { serverUrl: git.url, name: 'acme/site', token: 'ghs_unit' },
    branch,
    layout,
    keepLast: 0,
    template: 'Back up {dataset}',
    source: exampleManifest.source,
    maxShrinkPercent: 50,
    alone: true,
    checkVisibility: async () => undefined,
    git: { environment: { PATH: '/usr/bin:/bin' }, temp, signal },
    clean: (text) => text,
    now: () => new Date(),
    stopwatch: stopwatch(),
    wait: async () => undefined,
    log: { info: () => undefined, warning: () => undefined, progress: () => undefined },
  }
}
