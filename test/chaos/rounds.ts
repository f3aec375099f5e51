import { execFile } from 'node:child_process'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { makeTempFolder } from '../support/process.ts'
import { type RunOptions, type RunResult, runAction } from '../support/runner.ts'
import { chance, type DestinationName, findingsBelow, findingsInArtifacts, type Scene, snapshotBytes } from './scene.ts'

const run = promisify(execFile)

/** What one round showed. `wrong` is empty if what is published is absent or verifies, and nothing is left that should not be. */
export type Round = { readonly published: number; readonly ending: string; readonly wrong: readonly string[] }

type Draw = { readonly scene: Scene; readonly destination: DestinationName; readonly seed: number; readonly round: number }

/** What a run says from which on a moment is drawn: when it has begun, and when only the short work of storing is still to be done. */
const marks = [/Backing up/, /Exported/] as const

/** How long an undisturbed run takes from each of the marks on, in milliseconds. */
export type Pace = readonly number[]

/** Measures the {@link Pace} that the moments of {@link killRound} are drawn from. */
export async function measureRun(scene: Scene, destination: DestinationName): Promise<Pace> {
  await using temp = await makeTempFolder('chaos')
  const at = marks.map(() => Number.NaN)
  const onLine = (line: string): void => {
    for (const [index, mark] of marks.entries()) if (mark.test(line)) at[index] = performance.now()
  }
  await using result = await backUp(scene, destination, { folder: temp.path, onLine })
  if (result.exitCode !== 0) throw new Error(`an undisturbed run failed:\n${result.maskedLog}`)
  const end = performance.now()
  return at.map((time) => end - time)
}

/**
 * Kills a run with `kill -9` at a moment that depends on seed and round alone, and looks at what it published. The next run in the same place has
 * to succeed and to leave nothing but its own snapshot and what was published before.
 */
export async function killRound({ scene, destination, seed, round }: Draw, pace: Pace): Promise<Round> {
  await using temp = await makeTempFolder('chaos')
  const path = join(temp.path, 'temp', 'sanity-backup')
  const workflow = scene.artifacts.newRun()
  const turn = round % marks.length
  const afterMs = 1.1 * (pace[turn] as number) * chance(seed, 'kill', destination, round)
  await using killed = await backUp(scene, destination, {
    folder: temp.path,
    env: workflow.env,
    onStart: async ({ signal, waitFor }) => {
      await waitFor(marks[turn] as RegExp)
      await sleep(afterMs)
      signal('SIGKILL')
    },
  })
  const published =
    destination === 'artifact' ? await findingsInArtifacts(scene.artifacts, workflow.runId, temp.path) : await findingsBelow(path)
  await using next = await backUp(scene, destination, { folder: temp.path, env: scene.artifacts.newRun().env })
  const names = await readdir(path)
  const own = destination === 'directory' ? 1 : 0
  const before = destination === 'directory' ? published.published : 0
  const wrong = [
    ...published.findings,
    ...(next.exitCode === 0 ? [] : [`the next run ends with ${next.exitCode} (${next.outputs['error-code']})`]),
    ...(names.length === own + before ? [] : [`the next run leaves ${names.join(', ')}`]),
  ]
  return { published: published.published, ending: stageOf(killed), wrong }
}

/** The last thing that a killed run said it had done. */
function stageOf({ exitCode, maskedLog }: RunResult): string {
  if (exitCode === 0) return 'done before'
  if (maskedLog.includes('Stored and read back')) return 'after storing'
  if (maskedLog.includes('Artifact')) return 'storing'
  if (maskedLog.includes('Exported')) return 'after the export'
  return 'exporting'
}

/** Gives a run a disk whose size depends on seed and round alone: too small for it, or just large enough. */
export async function diskRound({ scene, destination, seed, round }: Draw): Promise<Round> {
  await using temp = await makeTempFolder('chaos')
  const disk = join(temp.path, 'disk')
  await mkdir(disk)
  // The smallest disks have no room for the runner's own files; the largest have room for all that is written.
  const bytes = Math.round(32 * 1024 + 2.5 * snapshotBytes * chance(seed, 'disk', destination, round))
  // Everything on the small disk, outputs and summary too; or the snapshot alone.
  const everything = chance(seed, 'everything', destination, round) < 0.5
  const folder = everything ? disk : temp.path
  const path = join(disk, 'snapshots')
  const workflow = scene.artifacts.newRun()
  await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', disk])
  try {
    await using result = await backUp(scene, destination, { folder, env: workflow.env }, path)
    const full = result.annotations.some(({ kind, title }) => kind === 'error' && /disk/.test(title))
    const published =
      destination === 'artifact' ? await findingsInArtifacts(scene.artifacts, workflow.runId, temp.path) : await findingsBelow(path)
    const left = (await readdir(path).catch(() => [])).filter((name) => name.endsWith('.partial'))
    const wrong = [
      ...published.findings,
      ...left.map((name) => `leaves ${name}`),
      ...(result.exitCode === 0 || full ? [] : [`ends with ${result.exitCode}: ${result.maskedLog.slice(-500)}`]),
      ...(result.exitCode === 0 && published.published !== 1 ? ['green, and nothing is published'] : []),
      ...(result.exitCode !== 0 && destination === 'directory' && published.published > 0 ? ['red, and something is published'] : []),
    ]
    return { published: published.published, ending: result.exitCode === 0 ? 'stored' : 'disk-full', wrong }
  } finally {
    await run('umount', [disk])
  }
}

async function backUp(scene: Scene, destination: DestinationName, options: RunOptions, path?: string): Promise<RunResult> {
  const { sanity, github, artifacts } = scene
  return await runAction({
    ...options,
    inputs: {
      'project-id': sanity.project,
      token: sanity.token,
      'api-host': sanity.url,
      destination,
      ...(path === undefined ? {} : { path }),
    },
    env: { ...artifacts.newRun().env, ...github.env, ...options.env },
  })
}
