import { readdir } from 'node:fs/promises'
import { describe, expect, it } from '@jest/globals'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { makeTempFolder, namesBelow, until } from '../../../support/process.ts'
import { runAction } from '../../../support/runner/runner.ts'
import { checkLeaks, threeDocuments } from '../../support.ts'

describe('a run that is killed', () => {
  it.concurrent('leaves no final name behind, and does not stand in the way of the next one', async () => {
    await using folder = await makeTempFolder('killed')
    await using sanity = await startSanity({ documents: threeDocuments })
    sanity.fault('export', { times: 1, stream: { ending: { how: 'stall', afterLines: 2 } } })
    const inputs = {
      'project-id': sanity.project,
      token: sanity.token,
      'api-host': sanity.url,
      destination: 'directory',
      path: folder.path,
    }

    await using killed = await runAction({
      inputs,
      onStart: async (running) => {
        await until(() => sanity.count('export') > 0)
        await until(() => namesBelow(folder.path).some((name) => name.includes('data.ndjson')))
        running.signal('SIGKILL')
      },
    })
    const left = await readdir(folder.path, { recursive: true })
    await checkLeaks({ ...killed, path: folder.path }, sanity.token, inputs)
    await using next = await runAction({ inputs })

    expect(killed.signal).toBe('SIGKILL')
    expect(left.filter((name) => !name.split('/')[0]!.endsWith('.partial') || name.endsWith('manifest.json'))).toEqual([])
    expect({ exitCode: next.exitCode, path: next.outputs['path'] }).toEqual({ exitCode: 0, path: expect.stringContaining(folder.path) })
  })
})
