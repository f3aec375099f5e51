import { expect, it } from '@jest/globals'
import { runPeer } from '../support/process.ts'

it('frees the buffers that were used up before they are many', async () => {
  const { stdout, stderr } = await runPeer(new URL('freeing-memory.ts', import.meta.url), {})
  expect(stderr).toBe('')
  const { mostBytes, sum } = JSON.parse(stdout) as { mostBytes: number; sum: number }
  expect(sum).toBe(8_000)
  expect(mostBytes).toBeLessThan(25e6)
})
