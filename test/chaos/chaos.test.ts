import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { smallDisk } from '../support/disk.ts'
import { onMachinesWith } from '../support/on-machines-with.ts'
import { runAction } from '../support/runner/runner.ts'
import { killRestore, measureRestore } from './restore-rounds.ts'
import { checks, startRestoreScene } from './restore-scene.ts'
import { diskRound, killRound, measureRun } from './rounds.ts'
import { destinations, type Scene, snapshotBytes, startScene } from './scene.ts'

/** A sample of `npm run chaos`, which has hundreds of rounds: these are its first. */
const seed = 1
const rounds = 1

let scene: Scene

beforeAll(async () => {
  scene = await startScene()
})

afterAll(async () => await scene[Symbol.asyncDispose]())

describe.each(destinations)('a backup to the %s', (destination) => {
  it('that is killed at any moment has published nothing, or what verifies, and the next run sweeps the rest', async () => {
    const pace = await measureRun(scene, destination)
    const wrong: string[] = []
    for (let round = 0; round < rounds; round++) wrong.push(...(await killRound({ scene, destination, seed, round }, pace)).wrong)
    expect(wrong).toEqual([])
  })

  onMachinesWith('small disks')('on a disk of any size stores what verifies, or ends in disk-full and leaves nothing', async () => {
    const wrong: string[] = []
    for (let round = 0; round < rounds; round++) wrong.push(...(await diskRound({ scene, destination, seed, round })).wrong)
    expect(wrong).toEqual([])
  })
})

describe.each(checks)('a restore into a dataset whose references are checked at the %s', (check) => {
  it('that is killed at any moment is finished by the next run, and nothing that an editor wrote meanwhile is lost', async () => {
    await using restoreScene = await startRestoreScene(check)
    const paceMs = await measureRestore(restoreScene)
    const wrong: string[] = []
    for (let round = 0; round < rounds; round++) wrong.push(...(await killRestore({ scene: restoreScene, seed, round }, paceMs)).wrong)
    expect(wrong).toEqual([])
  })
})

describe('a disk with room for the snapshot, but not for reading it back', () => {
  onMachinesWith('small disks')('is found before the artifact is uploaded', async () => {
    await using disk = await smallDisk(Math.round(1.6 * snapshotBytes))
    const { sanity, github, artifacts } = scene
    const workflow = artifacts.newRun()
    const inputs = { 'project-id': sanity.project, token: sanity.token, 'api-host': sanity.url, path: join(disk.path, 'snapshots') }
    await using run = await runAction({ inputs, env: { ...workflow.env, ...github.env } })
    expect(run.outputs['error-code']).toBe('disk-full')
    expect(run.annotations.find(({ kind }) => kind === 'error')?.message).toMatch(
      /To read the artifact back, .*kB are needed in .* only .*kB are free/,
    )
    expect(artifacts.of('CreateArtifact').filter((request) => request.run === workflow.runId)).toEqual([])
  })
})
