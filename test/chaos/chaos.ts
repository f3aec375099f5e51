import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { writeSection } from '../../docs/section.ts'
import { ROOT } from '../support/process.ts'
import { killRestore, measureRestore } from './restore-rounds.ts'
import { checks, type RestoreScene, startRestoreScene } from './restore-scene.ts'
import { diskRound, killRound, measureRun, type Round } from './rounds.ts'
import { type DestinationName, destinations, startScene } from './scene.ts'

/**
 * Kills runs at random moments and fills disks at random sizes, and looks each time at what was published: `npm run chaos`.
 *
 * The same seed gives the same rounds. What is done is kept in chaos-output/, so that a broken-off run goes on where it was; `--fresh` begins anew.
 * `-- --kills 20 --disks 5 --destination directory` runs fewer, `-- --destination restore` the kills of restores alone, `-- --write` puts the table into docs/reliability.md. Needs root, to mount small
 * disks. Exits with 1 if anything published does not verify, or anything is left that should not be.
 */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    kills: { type: 'string', default: '200' },
    disks: { type: 'string', default: '50' },
    destination: { type: 'string' },
    fresh: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
})
const seed = Number(values.seed)
const chosen = destinations.filter((name) => values.destination === undefined || name === values.destination)
const stateFile = join(ROOT, 'chaos-output', `seed-${seed}.json`)

type Series = { readonly name: string; readonly rounds: number; readonly play: (round: number) => Promise<Round> }

const done = new Map<string, Round[]>(values.fresh ? [] : await savedRounds())
await using scene = await startScene()
await using restores = await startRestores()
const series = [...(await Promise.all(chosen.map(kills))), ...restores.series, ...chosen.map(disks)]
for (const each of series) await playAll(each)

const text = print(series)
console.log(text)
if (values.write) await writeSection(join(ROOT, 'docs/reliability.md'), 'chaos', text)
const wrong = series.flatMap(({ name }) =>
  (done.get(name) ?? []).flatMap((round, index) => round.wrong.map((why) => `${name}, round ${index}: ${why}`)),
)
for (const line of wrong) console.log(`WRONG: ${line}`)
process.exitCode = wrong.length === 0 ? 0 : 1

async function kills(destination: DestinationName): Promise<Series> {
  const pace = await measureRun(scene, destination)
  return {
    name: `kill -9, ${destination}`,
    rounds: Number(values.kills),
    play: async (round) => await killRound({ scene, destination, seed, round }, pace),
  }
}

function disks(destination: DestinationName): Series {
  return {
    name: `full disk, ${destination}`,
    rounds: Number(values.disks),
    play: async (round) => await diskRound({ scene, destination, seed, round }),
  }
}

/** Rounds under both ways in which Sanity may check references, in turn. */
async function startRestores(): Promise<AsyncDisposable & { readonly series: readonly Series[] }> {
  await using stack = new AsyncDisposableStack()
  if (values.destination !== undefined && values.destination !== 'restore')
    return { series: [], [Symbol.asyncDispose]: async () => undefined }
  const scenes: { readonly scene: RestoreScene; readonly paceMs: number }[] = []
  for (const check of checks) {
    const restoreScene = stack.use(await startRestoreScene(check))
    scenes.push({ scene: restoreScene, paceMs: await measureRestore(restoreScene) })
  }
  const play = async (round: number): Promise<Round> => {
    const { scene: restoreScene, paceMs } = scenes[round % scenes.length] as (typeof scenes)[number]
    return await killRestore({ scene: restoreScene, seed, round }, paceMs)
  }
  const owned = stack.move()
  return { series: [{ name: 'kill -9, restore', rounds: Number(values.kills), play }], [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

async function playAll({ name, rounds, play }: Series): Promise<void> {
  const results = done.get(name) ?? []
  done.set(name, results)
  while (results.length < rounds) {
    results.push(await play(results.length))
    await saveRounds()
    if (results.length % 10 === 0) console.error(`${name}: ${results.length} of ${rounds}`)
  }
}

async function savedRounds(): Promise<[string, Round[]][]> {
  return await readFile(stateFile, 'utf8').then(
    (json) => JSON.parse(json) as [string, Round[]][],
    () => [],
  )
}

async function saveRounds(): Promise<void> {
  await mkdir(join(stateFile, '..'), { recursive: true })
  await writeFile(`${stateFile}.partial`, JSON.stringify([...done]))
  await rename(`${stateFile}.partial`, stateFile)
}

function print(all: readonly Series[]): string {
  const rows = all.map(({ name }) => {
    const rounds = done.get(name) ?? []
    const published = rounds.filter((round) => round.published > 0).length
    const endings = Object.entries(Object.groupBy(rounds, ({ ending }) => ending)).map(([ending, some]) => `${some?.length} ${ending}`)
    const failed = rounds.filter((round) => round.wrong.length > 0).length
    return `| ${name} | ${rounds.length} | ${published} | ${rounds.length - published} | ${failed} | ${endings.join(', ')} |`
  })
  return [
    `Seed ${seed}, ${new Date().toISOString().slice(0, 10)}, Node ${process.version}.`,
    '',
    '| series | rounds | published, or written into the dataset | nothing published, or written | wrong | how the runs ended |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n')
}
