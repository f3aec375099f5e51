import { createHash, randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { digestFile } from '../../../src/snapshot/check/file-digests.ts'
import { rejection } from '../../support/feed.ts'
import { makeTempFolder } from '../../support/process.ts'

const { signal } = new AbortController()
const digestOf = (algorithm: string, bytes: Buffer) => createHash(algorithm).update(bytes).digest('hex')

describe('digestFile', () => {
  it.each([0, 1, 256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 3_000_000])('digests a file of %d bytes', async (size) => {
    await using temp = await makeTempFolder()
    const bytes = randomBytes(size)
    await writeFile(join(temp.path, 'file'), bytes)
    expect(await digestFile(join(temp.path, 'file'), ['sha1', 'sha256', 'md5'], signal)).toEqual({
      bytes: size,
      digests: { sha1: digestOf('sha1', bytes), sha256: digestOf('sha256', bytes), md5: digestOf('md5', bytes) },
    })
  })

  it('digests many at once, each with what was asked for', async () => {
    await using temp = await makeTempFolder()
    const files = Array.from({ length: 50 }, (_, index) => ({ file: join(temp.path, String(index)), bytes: randomBytes(index * 1000) }))
    for (const { file, bytes } of files) await writeFile(file, bytes)
    const digested = await Promise.all(files.map(async ({ file }) => await digestFile(file, ['sha256'], signal)))
    expect(digested).toEqual(
      files.map(({ bytes }) => ({ bytes: bytes.length, digests: { sha256: digestOf('sha256', bytes), sha1: '', md5: '' } })),
    )
  })

  it('throws what reading throws, and digests the next one all the same', async () => {
    await using temp = await makeTempFolder()
    await mkdir(join(temp.path, 'folder'))
    await writeFile(join(temp.path, 'file'), 'x')
    expect(await rejection(digestFile(join(temp.path, 'none'), ['sha256'], signal))).toMatchObject({ code: 'ENOENT' })
    expect(await rejection(digestFile(join(temp.path, 'folder'), ['sha256'], signal))).toMatchObject({ code: 'EISDIR' })
    expect(await digestFile(join(temp.path, 'file'), ['sha1'], signal)).toMatchObject({ bytes: 1 })
  })

  it('throws the signal’s reason, whether it is aborted before or meanwhile', async () => {
    await using temp = await makeTempFolder()
    await writeFile(join(temp.path, 'file'), Buffer.alloc(5_000_000))
    const reason = new Error('stop')
    expect(await rejection(digestFile(join(temp.path, 'file'), ['sha256'], AbortSignal.abort(reason)))).toBe(reason)
    const controller = new AbortController()
    const digesting = rejection(digestFile(join(temp.path, 'file'), ['sha256'], controller.signal))
    controller.abort(reason)
    expect(await digesting).toBe(reason)
  })
})
