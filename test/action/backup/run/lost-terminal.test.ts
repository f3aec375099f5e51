import { describe, expect, it } from '@jest/globals'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { until } from '../../../support/process.ts'
import { runAction } from '../../../support/runner/runner.ts'
import { threeDocuments } from '../../support.ts'

describe('a run whose surroundings go away', () => {
  it('is never green, and leaves nothing, when something in the process ends it with 0', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })
    sanity.fault('export', { stream: { ending: { how: 'stall', afterLines: 2 } } })

    await using run = await runAction({
      inputs: { 'project-id': sanity.project, token: sanity.token, 'api-host': sanity.url, destination: 'directory' },
      nodeArguments: ['--import', 'data:text/javascript,process.on("SIGUSR2",()=>process.exit(0))'],
      onStart: async ({ child }) => {
        await until(() => sanity.count('export') > 0)
        child.kill('SIGUSR2')
      },
    })

    expect(run.exitCode).toBe(1)
    expect(run.annotations.filter(({ kind }) => kind === 'error')).toHaveLength(1)
    expect(await run.filesLeft('sanity-backup')).toEqual([])
  })

  it('comes to its end when nobody reads its log any more', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })
    sanity.fault('export', { delayMs: 1500 })

    await using run = await runAction({
      inputs: { 'project-id': sanity.project, token: sanity.token, 'api-host': sanity.url, destination: 'directory' },
      timeoutMs: 30_000,
      onStart: async ({ child, waitFor }) => {
        await waitFor(/Backing up/)
        child.stdout?.destroy()
        child.stderr?.destroy()
      },
    })

    expect({ timedOut: run.timedOut, exitCode: run.exitCode }).toEqual({ timedOut: false, exitCode: 0 })
    expect(await run.filesLeft('sanity-backup')).toEqual([
      expect.stringMatching(/data\.ndjson\.gz$/),
      expect.stringMatching(/manifest\.json$/),
    ])
  })
})
