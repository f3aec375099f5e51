import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { inflateRawSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { onMachinesWith } from '../../../support/on-machines-with.ts'
import { sha256, sumSha256 } from '../../support.ts'
import { manyLines, oddLines, run, snapshotOf } from './support.ts'

describe('the data file', () => {
  it.concurrent.each([
    { name: 'small', lines: oddLines },
    { name: 'large', lines: manyLines },
  ])('of gzip is one member, which begins and ends with the file: $name', async ({ lines }) => {
    const { stored } = await snapshotOf(lines)

    expect(stored.subarray(0, 4).toString('hex')).toBe('1f8b0800')
    const { buffer, engine } = inflateRawSync(stored.subarray(10), { info: true } as object) as unknown as {
      buffer: Buffer
      engine: { bytesWritten: number }
    }
    expect(10 + engine.bytesWritten + 8).toBe(stored.length)
    expect(stored.readUInt32LE(stored.length - 4)).toBe(buffer.length)
  })

  onMachinesWith('zstd').each([
    { name: 'small', lines: oddLines },
    { name: 'large', lines: manyLines },
  ])('of zstd is one frame with a checksum: $name', async ({ lines }) => {
    await snapshotOf(lines, { inputs: { compression: 'zstd' } }, async ({ folder }) => {
      const { stdout } = await run('zstd', ['-lv', join(folder, 'data.ndjson.zst')])

      expect(stdout).toMatch(/# Zstandard Frames: 1$/m)
      expect(stdout).toMatch(/Check: XXH64/)
    })
  })

  onMachinesWith('zstd').each([
    { compression: 'gzip', file: 'data.ndjson.gz', test: ['gunzip', '-t'], print: ['gunzip', '-c'] },
    { compression: 'zstd', file: 'data.ndjson.zst', test: ['zstd', '-t'], print: ['zstd', '-dc'] },
  ] as const)('of $compression opens with the command line tool', async ({ compression, file, test, print }) => {
    await snapshotOf(manyLines, { inputs: { compression } }, async ({ folder, data }) => {
      await run(test[0], [test[1], join(folder, file)])
      const { stdout } = await run(print[0], [print[1], join(folder, file)], { encoding: 'buffer', maxBuffer: 100_000_000 })

      expect(stdout.equals(data)).toBe(true)
    })
  })

  it.concurrent.each([
    { compression: 'gzip', fast: '1', small: '9' },
    { compression: 'zstd', fast: '1', small: '19' },
  ])('is smaller at the highest level of $compression', async ({ compression, fast, small }) => {
    const text = Array.from({ length: 500 }, (_, index) =>
      Buffer.from(`{"_id":"d${index}","_type":"t","n":"${(index * 7919) % 10007} ${index % 13} words"}`),
    )

    const [fastest, smallest] = await Promise.all(
      [fast, small].map((level) => snapshotOf(text, { inputs: { compression, 'compression-level': level } })),
    )

    expect(smallest?.stored.length).toBeLessThan(fastest?.stored.length ?? 0)
    expect(smallest?.data.equals(fastest?.data ?? Buffer.alloc(0))).toBe(true)
  })
})

describe('the digests', () => {
  it.concurrent.each(['gzip', 'zstd'])('are those of the file and of its content: %s', async (compression) => {
    const { manifest, stored, data, files } = await snapshotOf(oddLines, { inputs: { compression } })

    expect(manifest.files).toEqual([
      {
        path: files[0],
        sizeBytes: stored.length,
        digest: sha256(stored),
        contentBytes: data.length,
        contentDigest: sha256(data),
      },
    ])
  })

  it.concurrent('of the documents are the sum of those of the lines', async () => {
    const { manifest } = await snapshotOf(oddLines)

    expect(manifest.documents.contentDigest).toBe(sumSha256(oddLines))
  })

  it.concurrent('of the documents wrap around at 2^256', async () => {
    // Of so many digests the sum is surely larger.
    const sum = manyLines.reduce((total, line) => total + BigInt(`0x${createHash('sha256').update(line).digest('hex')}`), 0n)
    expect(sum > 2n ** 256n).toBe(true)

    const { manifest } = await snapshotOf(manyLines)

    expect(manifest.documents.contentDigest).toBe(sumSha256(manyLines))
  })

  it.concurrent('of the documents do not depend on the order, those of the file do', async () => {
    const [forwards, backwards] = await Promise.all([snapshotOf(oddLines), snapshotOf(oddLines.toReversed())])

    expect(backwards.manifest.documents.contentDigest).toBe(forwards.manifest.documents.contentDigest)
    expect(backwards.manifest.files[0]?.contentDigest).not.toBe(forwards.manifest.files[0]?.contentDigest)
  })

  it.concurrent('of the documents are the same for both compressions', async () => {
    const [gzip, zstd] = await Promise.all(['gzip', 'zstd'].map((compression) => snapshotOf(oddLines, { inputs: { compression } })))

    expect(zstd?.manifest.documents.contentDigest).toBe(gzip?.manifest.documents.contentDigest)
  })
})
