import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import type { Sealer } from '../../../src/codec/age.ts'
import { codecs } from '../../../src/codec/codecs.ts'
import { writeData } from '../../../src/snapshot/write/data-file.ts'
import { digestOf, sumDigest } from '../../../src/streams/digest.ts'
import { makeKeys, openBytes, openerFor, sealerFor } from '../../codec/age-files.ts'
import { smallDisk } from '../../support/disk.ts'
import { rejection, source } from '../../support/feed.ts'
import { onMachinesWith } from '../../support/on-machines-with.ts'
import { makeTempFolder } from '../../support/process.ts'

const lines = [[Buffer.from('{"_id":"a"}'), Buffer.from('{"_id":"ü"}')], [], [Buffer.from('{"_id":"c"}')]]
const content = '{"_id":"a"}\n{"_id":"ü"}\n{"_id":"c"}\n'

describe('writeData', () => {
  it.each([
    { compression: 'gzip', path: 'data.ndjson.gz', unpack: gunzipSync },
    { compression: 'zstd', path: 'data.ndjson.zst', unpack: zstdDecompressSync },
  ] as const)('writes the lines with $compression and describes the file', async ({ compression, path, unpack }) => {
    await using temp = await makeTempFolder()
    const written = await writeData(temp.path, { lines: source(lines).items, compression, level: 1 })
    const stored = await readFile(join(temp.path, path))
    expect(String(unpack(stored))).toBe(content)
    expect(written.file).toEqual({
      path,
      sizeBytes: stored.length,
      digest: digestOf(stored),
      contentBytes: Buffer.byteLength(content),
      contentDigest: digestOf(Buffer.from(content)),
    })
    const sum = sumDigest()
    for (const line of lines.flat()) sum.add(line)
    expect(written.contentDigest).toBe(sum.result())
    expect(await readdir(temp.path)).toEqual([path])
    expect(await modeOf(join(temp.path, path))).toBe('600')
  })

  it.each(['gzip', 'zstd'] as const)('writes the same file for the same lines, however they come, with %s', async (compression) => {
    const many = Array.from({ length: 40_000 }, (_, index) => Buffer.from(`{"_id":"${index}","text":"${'ab'.repeat(index % 200)}"}`))
    const batches = (size: number) =>
      Array.from({ length: Math.ceil(many.length / size) }, (_, at) => many.slice(at * size, (at + 1) * size))
    const slowly = async function* () {
      for (const batch of batches(3000)) {
        await new Promise((resolve) => setTimeout(resolve, 5))
        yield batch
      }
    }
    const digests = new Set<string>()
    for (const ways of [source([many]).items, source(batches(7)).items, slowly()]) {
      await using temp = await makeTempFolder()
      digests.add((await writeData(temp.path, { lines: ways, compression, level: 6 })).file.digest)
    }
    expect(digests.size).toBe(1)
  })

  it('has nothing at the final name while the lines are still coming', async () => {
    await using temp = await makeTempFolder()
    const seen: string[][] = []
    const watching = async function* () {
      for (const batch of lines) {
        yield batch
        seen.push(await readdir(temp.path))
      }
    }
    await writeData(temp.path, { lines: watching(), compression: 'gzip', level: 1 })
    expect(seen).toHaveLength(lines.length)
    expect(seen.flat().filter((name) => !name.endsWith('.partial'))).toEqual([])
  })

  it.each([
    { name: 'at once', before: [] },
    { name: 'after some lines', before: lines },
    {
      name: 'after many megabytes',
      before: Array.from({ length: 300 }, () => [Buffer.alloc(20_000, crypto.getRandomValues(new Uint8Array(20_000)))]),
    },
  ])('leaves nothing behind when the lines break off $name, and passes the error on', async ({ before }) => {
    await using temp = await makeTempFolder()
    const error = new RangeError('broken')
    const writing = writeData(temp.path, { lines: source(before, error).items, compression: 'gzip', level: 1 })
    expect(await rejection(writing)).toBe(error)
    expect(await readdir(temp.path)).toEqual([])
  })

  onMachinesWith('mkfifo').each(['gzip', 'zstd'] as const)(
    'throws the error of a disk that is slow and then fails, with %s',
    async (compression) => {
      await using temp = await makeTempFolder()
      const pipe = join(temp.path, `data.ndjson.${codecs[compression].extension}.partial`)
      spawnSync('mkfifo', [pipe])
      // Takes a little and waits so long that all that can be under way is under way.
      const slow = createReadStream(pipe).once('data', () => {
        slow.pause()
        setTimeout(() => slow.destroy(), 500)
      })
      // Little comes of many blocks: they are used up while the disk is waited for.
      const lines = Array.from({ length: 150 }, () => [Buffer.from(randomBytes(20_000).toString('base64').padEnd(400_000, 'x'))])
      const writing = writeData(temp.path, { lines: source(lines).items, compression, level: 1 })
      expect(await rejection(writing)).toMatchObject({ code: 'EPIPE' })
      expect(await readdir(temp.path)).toEqual([])
    },
  )

  it('replaces the file of an earlier try, whole or not', async () => {
    await using temp = await makeTempFolder()
    await writeFile(join(temp.path, 'data.ndjson.gz'), 'old')
    await writeFile(
      join(temp.path, 'data.ndjson.gz.partial'),
      'older and very much longer than what is going to be written now'.repeat(100),
    )
    const { file } = await writeData(temp.path, { lines: source(lines).items, compression: 'gzip', level: 1 })
    expect(await readdir(temp.path)).toEqual(['data.ndjson.gz'])
    expect((await stat(join(temp.path, 'data.ndjson.gz'))).size).toBe(file.sizeBytes)
  })
})

describe('an encrypted data file', () => {
  it.each([
    { name: 'random lines', line: () => randomBytes(20_000).toString('base64') },
    // What encryption holds back is then more content than all blocks can hold.
    { name: 'lines that are all the same', line: () => 'x'.repeat(200_000) },
  ])('is opened again while it is written, however much encryption holds back: $name', async ({ line }) => {
    await using temp = await makeTempFolder()
    const key = await makeKeys('x25519')
    const batches = Array.from({ length: 300 }, (_, index) => [Buffer.from(`{"_id":"${index}","text":"${line()}"}`)])
    const plain = Buffer.concat(batches.flat().flatMap((each) => [each, Buffer.from('\n')]))
    const { file } = await writeData(temp.path, {
      lines: source(batches).items,
      compression: 'gzip',
      level: 6,
      sealer: await sealerFor(key),
    })
    const stored = await readFile(join(temp.path, 'data.ndjson.gz.age'))
    expect(gunzipSync((await openBytes(openerFor(key), stored)).given).equals(plain)).toBe(true)
    expect(file).toEqual({
      path: 'data.ndjson.gz.age',
      sizeBytes: stored.length,
      digest: digestOf(stored),
      contentBytes: plain.length,
      contentDigest: digestOf(plain),
    })
  })

  it.each([
    { name: 'another byte', bend: (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -1), Buffer.from([(bytes.at(-1) ?? 0) ^ 1])]) },
    { name: 'another one, as well encrypted', bend: undefined },
  ])('is refused if it does not open to what was packed: $name', async ({ bend }) => {
    await using temp = await makeTempFolder()
    const honest = await sealerFor(await makeKeys('x25519'))
    const lying: Sealer = {
      newFile: async () => {
        const seal = await honest.newFile()
        const bent = async function* (content: AsyncIterable<Buffer>) {
          const packed: Buffer[] = []
          for await (const piece of content) packed.push(piece)
          const other = async function* () {
            yield bend ? Buffer.concat(packed) : Buffer.from('other content')
          }
          const pieces: Buffer[] = []
          for await (const piece of seal.seal(other())) pieces.push(piece)
          yield bend ? bend(Buffer.concat(pieces)) : Buffer.concat(pieces)
        }
        return { ...seal, seal: bent }
      },
    }
    const writing = writeData(temp.path, { lines: source(lines).items, compression: 'gzip', level: 1, sealer: lying })
    expect(await rejection(writing)).toMatchObject({ code: 'verification-failed' })
    expect(await readdir(temp.path)).toEqual([])
  })
})

describe('a disk that is full', () => {
  const random = () => Array.from({ length: 400 }, () => [Buffer.from(crypto.getRandomValues(new Uint8Array(20_000)))])

  onMachinesWith('small disks')('ends the data file with what it needs and what is free, and leaves nothing', async () => {
    await using disk = await smallDisk(2 * 1024 * 1024)
    const error = await settledIn(10_000, rejection(writeData(disk.path, { lines: source(random()).items, compression: 'gzip', level: 1 })))
    expect(error).toMatchObject({
      code: 'disk-full',
      message: expect.stringMatching(
        /^The snapshot needs more than [1-9][\d.]* MB in ".*", and there is no more room\. [1-9][\d.]* MB are free for it\.$/,
      ),
      hint: expect.stringContaining('compression: zstd'),
    })
    expect(await readdir(disk.path)).toEqual([])
  })
})

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8)
}

async function settledIn(ms: number, promise: Promise<unknown>): Promise<unknown> {
  const signal = AbortSignal.timeout(ms)
  const late = new Promise((resolve) => signal.addEventListener('abort', () => resolve('nothing came of it')))
  return await Promise.race([promise, late])
}
