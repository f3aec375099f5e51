import { execFile } from 'node:child_process'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { makeTempFolder } from '../support/process.ts'
import { type RunOptions, type RunResult, runAction } from '../support/runner/runner.ts'
import { chance, type DestinationName, type Place, readPublished, type Scene, snapshotBytes } from './scene.ts'

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
  await using result = await backUp(scene, destination, placeOf(scene, { temp: temp.path, branch: 'measured' }), { onLine })
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
  const place = placeOf(scene, { temp: temp.path, branch: `kill-${seed}-${round}` })
  const turn = round % marks.length
  const afterMs = 1.1 * (pace[turn] as number) * chance(seed, 'kill', destination, round)
  await using killed = await backUp(scene, destination, place, {
    onStart: async ({ signal, waitFor }) => {
      await waitFor(marks[turn] as RegExp)
      await sleep(afterMs)
      signal('SIGKILL')
    },
  })
  const published = await readPublished(destination, place, scene)
  await using next = await backUp(scene, destination, { ...place, workflow: scene.artifacts.newRun() })
  const own = destination === 'directory' ? 1 + published.count : 0
  const names = await readdir(place.path)
  const besides = (await readdir(join(temp.path, 'temp'))).filter((name) => !['_runner_file_commands', 'sanity-backup'].includes(name))
  const wrong = [
    ...published.findings,
    ...(next.exitCode === 0 ? [] : [`the next run ends with ${next.exitCode} (${next.outputs['error-code']})`]),
    ...(names.length === own ? [] : [`the next run leaves ${names.join(', ')}`]),
    ...besides.map((name) => `the next run leaves ${name}`),
  ]
  return { published: published.count, ending: stageOf(killed), wrong }
}

/** The last thing that a killed run said it had done. */
function stageOf({ exitCode, maskedLog }: RunResult): string {
  if (exitCode === 0) return 'done before'
  if (maskedLog.includes('Stored and read back')) return 'after storing'
  if (maskedLog.includes('Artifact')) return 'storing'
  if (maskedLog.includes('Exported')) return 'after the export'
  return 'exporting'
}

/** How many times the size of a snapshot the largest disk has: a little more than the destination needs. */
const copies: Readonly<Record<DestinationName, number>> = { directory: 2, artifact: 3, branch: 8 }

/** Gives a run a disk whose size depends on seed and round alone: too small for it, or just large enough. */
export async function diskRound({ scene, destination, seed, round }: Draw): Promise<Round> {
  await using temp = await makeTempFolder('chaos')
  const disk = join(temp.path, 'disk')
  await mkdir(disk)
  // The smallest disks have no room for the runner's own files; the largest have room for all that is written.
  const bytes = Math.round(32 * 1024 + copies[destination] * snapshotBytes * chance(seed, 'disk', destination, round))
  // Everything on the small disk, outputs and summary too; or the snapshot alone.
  const everything = chance(seed, 'everything', destination, round) < 0.5
  const place = placeOf(scene, { temp: everything ? disk : temp.path, branch: `disk-${seed}-${round}`, path: join(disk, 'snapshots') })
  await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', disk])
  try {
    await using result = await backUp(scene, destination, place)
    const full = result.annotations.some(({ kind, title }) => kind === 'error' && /disk/.test(title))
    const published = await readPublished(destination, { ...place, temp: temp.path }, scene)
    const left = (await readdir(place.path).catch(() => [])).filter((name) => name.endsWith('.partial'))
    const wrong = [
      ...published.findings,
      ...left.map((name) => `leaves ${name}`),
      ...(result.exitCode === 0 || full ? [] : [`ends with ${result.exitCode}: ${result.maskedLog.slice(-500)}`]),
      ...(result.exitCode === 0 && published.count !== 1 ? ['green, and nothing is published'] : []),
      ...(result.exitCode !== 0 && destination === 'directory' && published.count > 0 ? ['red, and something is published'] : []),
    ]
    return { published: published.count, ending: result.exitCode === 0 ? 'stored' : 'disk-full', wrong }
  } finally {
    await run('umount', [disk])
  }
}

function placeOf(scene: Scene, { temp, branch, path }: { temp: string; branch: string; path?: string }): Place {
  return { temp, branch, path: path ?? join(temp, 'temp', 'sanity-backup'), workflow: scene.artifacts.newRun() }
}

async function backUp(scene: Scene, destination: DestinationName, place: Place, options: RunOptions = {}): Promise<RunResult> {
  const { sanity, github, git } = scene
  const { temp, path, branch, workflow } = place
  return await runAction({
    ...options,
    folder: temp,
    inputs: { 'project-id': sanity.project, token: sanity.token, 'api-host': sanity.url, destination, path, branch },
    env: { ...workflow.env, ...github.env, ...git.env },
  })
}
