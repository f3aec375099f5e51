import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { smallDisk } from '../../../support/disk.ts'
import { onMachinesWith } from '../../../support/on-machines-with.ts'
import { makeTempFolder, until } from '../../../support/process.ts'
import { runAction } from '../../../support/runner/runner.ts'
import { backUp, failureOf, readSnapshot, threeDocuments, threeLines } from '../../support.ts'

describe('an environment that is not safe', () => {
  it.concurrent.each([
    { variable: 'NODE_TLS_REJECT_UNAUTHORIZED', value: '0' },
    { variable: 'HTTPS_PROXY', value: 'proxy.acme.example' },
  ])('is refused before anything is asked: $variable=$value', async ({ variable, value }) => {
    await using sanity = await startSanity({ documents: threeDocuments })
    const inputs = { 'project-id': sanity.project, token: sanity.token, 'api-host': sanity.url, destination: 'directory' }
    await using run = await runAction({ inputs, env: { [variable]: value } })
    expect(run.exitCode).toBe(1)
    expect(run.outputs['error-code']).toBe('input-invalid')
    expect(run.annotations.find(({ kind }) => kind === 'error')?.message).toContain(variable)
    expect(sanity.requests).toEqual([])
  })

  it.concurrent('is refused when Node would print requests, and nothing of a request is printed', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })
    const inputs = { 'project-id': sanity.project, token: sanity.token, 'api-host': sanity.url, destination: 'directory' }
    await using run = await runAction({ inputs, env: { NODE_DEBUG: 'http,net,undici' } })
    expect({ exitCode: run.exitCode, code: run.outputs['error-code'] }).toEqual({ exitCode: 1, code: 'input-invalid' })
    expect(run.stderr).not.toContain(sanity.token)
    expect(sanity.requests).toEqual([])
  })
})

describe('the places of the runner', () => {
  it.concurrent.each([
    { what: 'is a folder', spoil: async (path: string) => void (await mkdir(path)) },
    { what: 'lies in a folder that is gone', spoil: async () => undefined },
  ])('keep the proven snapshot, and say where it is, when the file for outputs $what', async ({ spoil }) => {
    await using sanity = await startSanity({ documents: threeDocuments })
    await using temp = await makeTempFolder('outputs')
    const file = join(temp.path, 'gone', 'output')
    if (spoil.length > 0) await mkdir(join(temp.path, 'gone'))
    await spoil(file)
    const path = join(temp.path, 'snapshots')
    const inputs = { 'project-id': sanity.project, token: sanity.token, 'api-host': sanity.url, destination: 'directory', path }
    await using run = await runAction({ inputs, env: { GITHUB_OUTPUT: file } })
    const error = run.annotations.find(({ kind }) => kind === 'error')
    expect(run.exitCode).toBe(1)
    expect(error?.title).toBe('The outputs could not be written')
    expect(error?.message).toContain('is stored, and was read back, as directory')
    expect((await readSnapshot({ path })).lines).toEqual(threeLines)
  })

  it.concurrent('may lack the file for outputs outside of a workflow, where no token is printed to be masked', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })
    const inputs = { 'project-id': sanity.project, token: sanity.token, 'api-host': sanity.url, destination: 'directory' }
    await using run = await runAction({ inputs, env: { GITHUB_OUTPUT: '', GITHUB_ACTIONS: '' } })
    expect(run.exitCode).toBe(0)
    expect(run.stdout).not.toContain(sanity.token)
  })
})

describe('what a killed run leaves', () => {
  it.concurrent('is removed by the next run in the same path', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })
    await using temp = await makeTempFolder('killed')
    sanity.fault('export', { stream: { ending: { how: 'stall', afterLines: 2 } }, times: 1 })
    const path = join(temp.path, 'snapshots')
    const inputs = { 'project-id': sanity.project, token: sanity.token, 'api-host': sanity.url, destination: 'directory', path }
    await using killed = await runAction({
      inputs,
      onStart: async ({ signal }) => {
        await until(() => sanity.count('export') > 0)
        signal('SIGKILL')
      },
    })
    expect(killed.signal).toBe('SIGKILL')
    const left = await readdir(path)
    expect(left).toEqual([expect.stringMatching(/\.partial$/)])

    await using next = await backUp({ sanity }, { inputs: { path } })
    expect(next.exitCode).toBe(0)
    expect(next.log).toContain('Removed what 1 killed run left behind')
    expect((await readSnapshot({ path })).lines).toEqual(threeLines)
  })
})

describe('a disk without room', () => {
  onMachinesWith('small disks')(
    'ends in disk-full, with neither a snapshot nor a rest of one, also when only the outputs find no room',
    async () => {
      await using sanity = await startSanity({ documents: threeDocuments })
      await using temp = await makeTempFolder('disk')
      await using disk = await smallDisk(64 * 1024)
      await writeFile(join(disk.path, 'output'), '')
      // All room but that of the file for outputs' own first page is used up.
      await writeFile(join(disk.path, 'ballast'), Buffer.alloc(64 * 1024)).catch(() => undefined)
      const path = join(temp.path, 'snapshots')
      const inputs = { 'project-id': sanity.project, token: sanity.token, 'api-host': sanity.url, destination: 'directory', path }
      await using run = await runAction({ inputs, env: { GITHUB_OUTPUT: join(disk.path, 'output') } })
      const error = run.annotations.find(({ kind }) => kind === 'error')
      expect({ exitCode: run.exitCode, title: error?.title }).toEqual({ exitCode: 1, title: 'The disk is full' })
      expect(error?.message).toContain('Nothing was stored.')
      expect(await readdir(path)).toEqual([])
    },
  )

  it.concurrent('is found before anything is fetched, when the last snapshot would not fit', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })
    await using temp = await makeTempFolder('previous')
    const path = join(temp.path, 'snapshots')
    await using first = await backUp({ sanity }, { inputs: { path } })
    const { folder, manifest } = await readSnapshot({ path })
    const files = manifest.files.map((file) => ({ ...file, sizeBytes: 9_000_000_000_000_000 }))
    await writeFile(join(folder, 'manifest.json'), JSON.stringify({ ...manifest, files }))
    const inputs = { 'project-id': sanity.project, token: sanity.token, 'api-host': sanity.url, destination: 'directory', path }
    await using second = await runAction({ inputs })
    expect(first.exitCode).toBe(0)
    expect(second.outputs['error-code']).toBe('disk-full')
    expect(sanity.count('export')).toBe(1)
  })
})

describe('a run that is signalled again and again', () => {
  it.concurrent('cleans up and ends with 130 all the same', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })
    sanity.fault('export', { stream: { ending: { how: 'stall', afterLines: 2 } } })
    await using run = await backUp(
      { sanity },
      {
        onStart: async ({ signal }) => {
          await until(() => sanity.count('export') > 0)
          for (const name of ['SIGINT', 'SIGTERM', 'SIGINT', 'SIGTERM'] as const) signal(name)
        },
      },
    )
    expect(failureOf(run)).toMatchObject({ exitCode: 130, code: 'cancelled' })
  })
})
