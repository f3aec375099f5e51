import { randomBytes } from 'node:crypto'
import { branchDestination } from '../../../src/destinations/branch/branch.ts'
import { type BranchSession, openBranch, type SessionNeeds } from '../../../src/destinations/branch/session.ts'
import type { Destination, FinishedSnapshot, StoredOnBranch } from '../../../src/destinations/destination.ts'
import { findPrevious } from '../../../src/destinations/find-previous.ts'
import type { Manifest } from '../../../src/format/manifest/manifest.ts'
import { stopwatch } from '../../../src/stopwatch.ts'
import { finishedSnapshot } from '../../contracts/destination.ts'
import { type Git, startGit } from '../../doubles/git/git.ts'
import { exampleManifest } from '../../support/example.ts'
import { makeTempFolder } from '../../support/process.ts'

export const branch = 'sanity-backups'
export const folder = 'abc12345/production'

/** The server, and where the runner has its temporary files. */
export type Place = { readonly git: Git; readonly temp: string }

type DestinationNeeds = Parameters<typeof branchDestination>[1]

/** What a test wants otherwise than usual. */
export type Change = Partial<Pick<SessionNeeds, 'branch'> & Omit<DestinationNeeds, 'log'>> & {
  /** `owner/name` */
  readonly repository?: string
  readonly environment?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  readonly log?: DestinationNeeds['log'] & SessionNeeds['log']
}

const silent = { info: () => undefined, warning: () => undefined, progress: () => undefined }

/** What a run knows of the branch, without waits between tries. */
export function openSession({ git, temp }: Place, change: Change = {}): BranchSession {
  const { repository = 'acme/site', environment = { PATH: '/usr/bin:/bin' }, signal = new AbortController().signal } = change
  return openBranch({
    remote: { serverUrl: git.url, name: repository, token: 'ghs_unit' },
    branch: change.branch ?? branch,
    folder,
    history: (change.keepLast ?? 0) > 0,
    git: { environment, temp, signal },
    wait: async () => undefined,
    log: change.log ?? silent,
  })
}

/** The destination as a run makes it. */
export function openDestination(place: Place, change: Change = {}): Destination {
  return branchDestination(openSession(place, change), {
    layout: change.layout ?? 'text',
    keepLast: change.keepLast ?? 0,
    template: change.template ?? 'Back up {dataset} {date}',
    source: change.source ?? exampleManifest.source,
    maxShrinkPercent: change.maxShrinkPercent ?? 50,
    onlyDestination: change.onlyDestination ?? true,
    checkVisibility: change.checkVisibility ?? (async () => undefined),
    clean: change.clean ?? ((text) => text),
    now: change.now ?? (() => new Date()),
    stopwatch: stopwatch(),
    log: change.log ?? silent,
  })
}

/** A repository, and snapshots of chosen times that are stored on one of its branches. */
export type Scene = AsyncDisposable &
  Place & {
    readonly said: { readonly info: string[]; readonly warnings: string[] }
    /** A snapshot of the given hour of one day. Its documents are the ones of `texts`. */
    readonly snapshot: (
      hour: number,
      options?: { readonly label?: string; readonly texts?: readonly string[] },
    ) => Promise<FinishedSnapshot>
    /** A whole night of the destination. */
    readonly store: (snapshot: FinishedSnapshot, change?: Change) => Promise<StoredOnBranch>
    /** The hours of the snapshots in the history, the newest commit first; `top` for a commit that puts a newer one back on top. */
    readonly history: () => (number | string)[]
    readonly manifestAt: (commit: string) => Manifest
  }

/** The bodies of documents, as far as they cannot be compressed. */
export function someTexts(count: number, bytes = 1500): string[] {
  return Array.from({ length: count }, () => randomBytes(bytes).toString('base64'))
}

/** The ref beside the branches in which a commit waits to be proven. */
export function stagedIn(git: Git): string {
  return git.run('for-each-ref', '--format=%(refname)', 'refs/sanity-backup')
}

/** Lets the server refuse all refs that are no branches, as some do. */
export function keepNoOtherRefs(git: Git): void {
  git.run('config', 'receive.hideRefs', 'refs/sanity-backup')
}

export async function startScene(): Promise<Scene> {
  await using stack = new AsyncDisposableStack()
  const { path: temp } = stack.use(await makeTempFolder('branch'))
  const git = stack.use(await startGit())
  const said: { info: string[]; warnings: string[] } = { info: [], warnings: [] }
  const log = {
    info: (line: string) => void said.info.push(line),
    warning: (line: string) => void said.warnings.push(line),
    progress: () => undefined,
  }
  const usual = someTexts(3)
  const owned = stack.move()
  return {
    git,
    temp,
    said,
    snapshot: async (hour, { label, texts = usual } = {}) => {
      const time = String(hour).padStart(2, '0')
      return await finishedSnapshot(temp, {
        snapshot: `abc12345-production-20261122T${time}0000Z${label ? `-${label}` : ''}`,
        takenAt: `2026-11-22T${time}:00:00Z`,
        label: label ?? null,
        lines: texts.map((text, index) => Buffer.from(`{"_id":"id-${index}","_type":"post","text":"${text}"}`)),
      })
    },
    store: async (snapshot, change = {}) => {
      using destination = openDestination({ git, temp }, { log, ...change })
      await destination.check()
      await findPrevious(destination.reader, snapshot.manifest)
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
