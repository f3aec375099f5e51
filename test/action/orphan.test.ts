import { expect, it } from '@jest/globals'
import { startSanity } from '../doubles/sanity.ts'
import { runAction } from '../support/runner.ts'
import { threeDocuments } from './support.ts'

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
