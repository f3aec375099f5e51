import { describe, expect, it } from '@jest/globals'
import { manyLines, oddLines, snapshotOf } from './support.ts'

const whole = (lines: readonly Buffer[]): Buffer => Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')]))

describe('the bytes of the documents', () => {
  it.concurrent.each(
    (['gzip', 'zstd'] as const).flatMap((compression) => [1, 2, 3, 7, 1_000, 65_536].map((chunkBytes) => ({ compression, chunkBytes }))),
  )('are those that were sent: $compression, $chunkBytes bytes at a time', async ({ compression, chunkBytes }) => {
    const snapshot = await snapshotOf(oddLines, { inputs: { compression }, chunkBytes })

    expect(snapshot.data.equals(whole(oddLines))).toBe(true)
  })

  it('are those that were sent also where the processor cannot take sixteen bytes at a time', async () => {
    const snapshot = await snapshotOf(oddLines, { nodeArguments: ['--no-enable-sse4-1'] })

    expect(snapshot.data.equals(whole(oddLines))).toBe(true)
  })

  it.concurrent.each([1_000_000, 32_000_000])('are those that were sent in a line of %d bytes', async (bytes) => {
    const long = Buffer.from(`{"_id":"long","_type":"odd","text":"${'ä'.repeat(bytes / 2)}"}`)
    const lines = [...oddLines, long, Buffer.from('{"_id":"last","_type":"odd"}')]

    const snapshot = await snapshotOf(lines, { chunkBytes: 1_000_003 })

    expect(snapshot.data.equals(whole(lines))).toBe(true)
  })

  it.concurrent.each(['gzip', 'zstd'])('are those that were sent when there are many: %s', async (compression) => {
    const snapshot = await snapshotOf(manyLines, { inputs: { compression } })

    expect(snapshot.data.equals(whole(manyLines))).toBe(true)
  })
})
