import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeTempFolder } from '../support/process.ts'
import { type RunOptions, type RunResult, runAction } from '../support/runner/runner.ts'
import type { RestoreScene } from './restore-scene.ts'
import type { Round } from './rounds.ts'
import { chance } from './scene.ts'

/** From here on a restore writes. */
const mark = /The plan: /

/** Measures how long an undisturbed restore takes from its plan on, in milliseconds. */
export async function measureRestore(scene: RestoreScene): Promise<number> {
  await using temp = await makeTempFolder('chaos')
  await prepare(scene)
  let begun = Number.NaN
  const onLine = (line: string): void => {
    if (mark.test(line)) begun = performance.now()
  }
  await using result = await restore(scene, temp.path, { onLine })
  const took = performance.now() - begun
  const wrong = scene.differences()
  if (result.exitCode !== 0 || wrong.length > 0)
    throw new Error(`an undisturbed restore failed: ${wrong.slice(0, 5).join(', ')}\n${result.maskedLog}`)
  return took
}

type Draw = { readonly scene: RestoreScene; readonly seed: number; readonly round: number }

/**
 * Kills a restore with `kill -9` at a moment that depends on seed and round alone, while an editor writes; then runs it again. What the editor wrote
 * must be there after the kill, and the second run must end where the snapshot was made.
 */
export async function killRestore({ scene, seed, round }: Draw, paceMs: number): Promise<Round> {
  await using temp = await makeTempFolder('chaos')
  const { sanity } = scene
  await prepare(scene)
  const before = sanity.store().history.transactions.length
  const afterMs = 1.1 * paceMs * chance(seed, 'kill', 'restore', round)
  const editAtMs = afterMs * chance(seed, 'edit', 'restore', round)
  let theirs: string[] = []
  await using killed = await restore(scene, temp.path, {
    onStart: async ({ signal, waitFor }) => {
      await waitFor(mark)
      await sleep(editAtMs)
      theirs = await editAsOthers(scene)
      await sleep(afterMs - editAtMs)
      signal('SIGKILL')
    },
  })
  const made = sanity.store().history.transactions.slice(before)
  const lost = theirs.filter((id) => sanity.store().find(id)?.['title'] !== 'Theirs')
  const journal = await journalIn(join(temp.path, 'temp'))
  const known = new Set(made.map(({ id }) => id))
  const unknown = journal.filter((id) => !known.has(id))
  sanity.reset()
  await using next = await restore(scene, temp.path)
  const differs = scene.differences()
  const besides = (await readdir(join(temp.path, 'temp'))).filter(
    (name) => !/^(_runner_file_commands|sanity-backup|sanity-restore-.*)$/.test(name),
  )
  const wrong = [
    ...lost.map((id) => `what an editor wrote into ${id} is lost`),
    ...(unknown.length > 0 ? [`the journal has ${unknown.length} transactions that were never made`] : []),
    ...(next.exitCode === 0 ? [] : [`the next run ends with ${next.exitCode} (${next.outputs['error-code']})`]),
    ...(differs.length > 0 ? [`${differs.length} documents differ: ${differs.slice(0, 3).join(', ')}`] : []),
    ...besides.map((name) => `the next run leaves ${name}`),
  ]
  return { published: made.length - theirs.length > 0 ? 1 : 0, ending: stageOf(killed, journal.length), wrong }
}

/** Each write takes a while, so that there are moments to hit. */
async function prepare(scene: RestoreScene): Promise<void> {
  await scene.spoil()
  for (const route of ['mutate', 'actions', 'upload'] as const) scene.sanity.fault(route, { delayMs: 30 })
}

/** Changes a document that is to be replaced, makes one that is to be made, changes one that is to go; gives the ids of those that could be. */
async function editAsOthers({ sanity }: RestoreScene): Promise<string[]> {
  const edits = {
    'post-8': { patch: { id: 'post-8', set: { title: 'Theirs' } } },
    'post-22': { create: { _id: 'post-22', _type: 'page', title: 'Theirs' } },
    'new-7': { patch: { id: 'new-7', set: { title: 'Theirs' } } },
    'large-9': { create: { _id: 'large-9', _type: 'page', title: 'Theirs' } },
  }
  const done: string[] = []
  for (const [id, edit] of Object.entries(edits)) {
    await sanity.edit([edit]).then(
      () => done.push(id),
      // The restore was there first.
      () => undefined,
    )
  }
  return done
}

/** The transactions in the journal of the run that left one below this folder. */
async function journalIn(folder: string): Promise<string[]> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('journal.ndjson'))
  const texts = await Promise.all(names.map(async (name) => await readFile(join(folder, name), 'utf8')))
  return texts
    .flatMap((text) => text.split('\n'))
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { transactionId: string }).transactionId)
}

/** The last thing that a killed run had done. */
function stageOf({ exitCode, maskedLog, outputs }: RunResult, journaled: number): string {
  if (exitCode !== null) return outputs['error-code'] === undefined ? 'done before' : `${outputs['error-code']} before`
  if (maskedLog.includes('Reading the target again')) return 'after writing'
  return journaled > 0 ? 'writing' : 'before the first transaction'
}

async function restore({ sanity, path }: RestoreScene, folder: string, options: RunOptions = {}): Promise<RunResult> {
  return await runAction({
    ...options,
    action: 'restore',
    folder,
    env: { ACTIONS_RESULTS_URL: '' },
    inputs: {
      'project-id': sanity.project,
      dataset: sanity.dataset,
      token: sanity.editorToken,
      'api-host': sanity.url,
      path,
      mode: 'apply',
      confirm: sanity.dataset,
      mirror: 'true',
      'exclude-ids': 'kept-*',
      'safety-snapshot': 'false',
    },
  })
}
