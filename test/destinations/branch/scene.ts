import { randomBytes } from 'node:crypto'
import { branchDestination } from '../../../src/destinations/branch/branch.ts'
import type { FinishedSnapshot, StoredOnBranch } from '../../../src/destinations/destination.ts'
import type { Manifest } from '../../../src/format/manifest.ts'
import { stopwatch } from '../../../src/stopwatch.ts'
import { finishedSnapshot } from '../../contracts/destination.ts'
import { type Git, startGit } from '../../doubles/git.ts'
import { exampleManifest } from '../../snapshot/example.ts'
import { makeTempFolder } from '../../support/process.ts'

export const branch = 'sanity-backups'
export const folder = 'abc12345/production'

type Options = Parameters<typeof branchDestination>[0]

/** A repository, and snapshots of chosen times that are stored on one of its branches. */
export type Scene = AsyncDisposable & {
  readonly git: Git
  readonly temp: string
  readonly said: { readonly info: string[]; readonly warnings: string[] }
  /** A snapshot of the given hour of one day. Its documents are the ones of `texts`. */
  readonly snapshot: (hour: number, options?: { readonly label?: string; readonly texts?: readonly string[] }) => Promise<FinishedSnapshot>
  readonly store: (snapshot: FinishedSnapshot, options?: Partial<Options>) => Promise<StoredOnBranch>
  /** The hours of the snapshots in the history, the newest commit first; `top` for a commit that puts a newer one back on top. */
  readonly history: () => (number | string)[]
  readonly manifestAt: (commit: string) => Manifest
}

/** The bodies of documents, as far as they cannot be compressed. */
export function someTexts(count: number, bytes = 1500): string[] {
  return Array.from({ length: count }, () => randomBytes(bytes).toString('base64'))
}

export async function startScene(): Promise<Scene> {
  await using stack = new AsyncDisposableStack()
  const temp = stack.use(await makeTempFolder('branch'))
  const git = stack.use(await startGit())
  const said: { info: string[]; warnings: string[] } = { info: [], warnings: [] }
  const usual = someTexts(3)
  const options: Options = {
    remote: { serverUrl: git.url, name: 'acme/site', token: 'ghs_unit' },
    branch,
    layout: 'text',
    keepLast: 0,
    template: 'Back up {dataset} {date}',
    source: exampleManifest.source,
    maxShrinkPercent: 50,
    alone: true,
    checkVisibility: async () => undefined,
    git: { environment: { PATH: '/usr/bin:/bin' }, temp: temp.path, signal: new AbortController().signal },
    clean: (text) => text,
    now: () => new Date(),
    stopwatch: stopwatch(),
    wait: async () => undefined,
    log: { info: (line) => void said.info.push(line), warning: (line) => void said.warnings.push(line), progress: () => undefined },
  }
  const owned = stack.move()
  return {
    git,
    temp: temp.path,
    said,
    snapshot: async (hour, { label, texts = usual } = {}) => {
      const time = String(hour).padStart(2, '0')
      return await finishedSnapshot(temp.path, {
        snapshot: `abc12345-production-20261122T${time}0000Z${label ? `-${label}` : ''}`,
        takenAt: `2026-11-22T${time}:00:00Z`,
        label: label ?? null,
        lines: texts.map((text, index) => Buffer.from(`{"_id":"id-${index}","_type":"post","text":"${text}"}`)),
      })
    },
    store: async (snapshot, change = {}) => {
      using destination = branchDestination({ ...options, ...change })
      await destination.check()
      await destination.prepare(snapshot)
      return (await destination.store(snapshot)) as StoredOnBranch
    },
    history: () =>
      git
        .run('log', '--format=%x00%B', branch)
        .split('\0')
        .slice(1)
        .map((message) => {
          const [, hour] = /^Snapshot: abc12345-production-20261122T(\d\d)/m.exec(message) ?? []
          return hour === undefined ? (/stays on top/.test(message) ? 'top' : (message.split('\n')[0] ?? '')) : Number(hour)
        }),
    manifestAt: (commit) => JSON.parse(git.bytes(`${commit}:${folder}/manifest.json`).toString()) as Manifest,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
