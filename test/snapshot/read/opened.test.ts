import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { AgeError } from '../../../src/codec/age-error.ts'
import { openedFile } from '../../../src/snapshot/read/opened.ts'
import { writeData } from '../../../src/snapshot/write/data-file.ts'
import { makeKeys, openerFor, sealerFor } from '../../codec/age-files.ts'
import { collectBytes, rejection, source } from '../../support/feed.ts'
import { makeTempFolder } from '../../support/process.ts'

const path = 'data.ndjson.gz.age'
const ann = await makeKeys('x25519')
const eve = await makeKeys('x25519')

async function makeSealed() {
  const temp = await makeTempFolder('opened')
  const lines = source([[Buffer.from('{"_id":"a"}')]]).items
  await writeData(temp.path, { lines, compression: 'gzip', level: 6, sealer: await sealerFor(ann) })
  return { folder: temp.path, [Symbol.asyncDispose]: async () => await temp[Symbol.asyncDispose]() }
}

describe('openedFile', () => {
  it('gives what an encrypted file held, still compressed', async () => {
    await using sealed = await makeSealed()
    const given = await collectBytes(openedFile({ folder: sealed.folder, path }, { opener: openerFor(eve, ann) }))
    expect(String(gunzipSync(given))).toBe('{"_id":"a"}\n')
  })

  it('joins the parts of a file that was encrypted and then cut', async () => {
    await using sealed = await makeSealed()
    const stored = await readFile(join(sealed.folder, path))
    const parts = [`${path}.001`, `${path}.002`]
    await writeFile(join(sealed.folder, `${path}.001`), stored.subarray(0, 100))
    await writeFile(join(sealed.folder, `${path}.002`), stored.subarray(100))
    const given = await collectBytes(openedFile({ folder: sealed.folder, path, parts }, { opener: openerFor(ann) }))
    expect(String(gunzipSync(given))).toBe('{"_id":"a"}\n')
  })

  it('gives a file that is not encrypted as it is', async () => {
    await using temp = await makeTempFolder('opened')
    await writeFile(join(temp.path, 'data.ndjson.gz'), 'abc')
    expect(String(await collectBytes(openedFile({ folder: temp.path, path: 'data.ndjson.gz' })))).toBe('abc')
  })

  it.each([
    { name: 'without an identity', opener: undefined, reason: 'unasked' },
    { name: 'with that of somebody else', opener: openerFor(eve), reason: 'locked' },
  ])('is locked $name', async ({ opener, reason }) => {
    await using sealed = await makeSealed()
    expect(await rejection(collectBytes(openedFile({ folder: sealed.folder, path }, { opener })))).toMatchObject({
      name: 'AgeError',
      reason,
    })
  })

  it('throws for one that was changed', async () => {
    await using sealed = await makeSealed()
    await writeFile(join(sealed.folder, path), Buffer.concat([await readFile(join(sealed.folder, path)), Buffer.from('x')]))
    expect(await rejection(collectBytes(openedFile({ folder: sealed.folder, path }, { opener: openerFor(ann) })))).toBeInstanceOf(AgeError)
  })
})
