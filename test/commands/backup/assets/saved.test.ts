import { describe, expect, it } from '@jest/globals'
import type { Fetched } from '../../../../src/commands/backup/assets/fetched.ts'
import type { Place } from '../../../../src/commands/backup/assets/places.ts'
import { concludeAssets } from '../../../../src/commands/backup/assets/saved.ts'
import { rejection } from '../../../support/feed.ts'
import { makeTempFolder } from '../../../support/process.ts'

const place = (fetched: Fetched | undefined): Place => ({ urls: [], sha1hash: undefined, fetched })
const clean = (text: string) => text.replaceAll('skTOKEN', '***')

function saved(path: string, { reused = false, provenBy = 'sha1' as 'sha1' | 'x-sanity-md5' } = {}): Place {
  const entry = { path, sizeBytes: 10, digest: `sha256:${'0a'.repeat(32)}` } as const
  return place({ kind: 'saved', reused, file: { ...entry, provenBy, entry } })
}

describe('what is said of the saved assets', () => {
  it('counts assets by their ids, and files once, in the order of their paths', async () => {
    await using temp = await makeTempFolder()
    const shared = saved('assets/files/b', { reused: true })
    const assets: [string, Place][] = [
      ['drafts.b', shared],
      ['c', saved('assets/images/c', { provenBy: 'x-sanity-md5' })],
      ['b', shared],
      ['a', saved('assets/files/a')],
    ]
    const { files, ...counts } = await concludeAssets(temp.path, assets, { clean })
    expect(counts).toEqual({ count: 4, sizeBytes: 30, reused: 2, provenByHost: 1, missing: [] })
    expect(files.map(({ path }) => path)).toEqual(['assets.ndjson.gz', 'assets/files/a', 'assets/files/b', 'assets/images/c'])
  })

  it('lists what is missing in the order of the ids, without the token', async () => {
    await using temp = await makeTempFolder()
    const gone = place({ kind: 'missing', url: 'https://cdn.sanity.io/skTOKEN', status: 404, lack: 'file', why: 'skTOKEN' })
    const { missing, count } = await concludeAssets(
      temp.path,
      [
        ['z', gone],
        ['skTOKEN', gone],
      ],
      { clean },
    )
    expect(count).toBe(0)
    expect(missing.map(({ id }) => id)).toEqual(['***', 'z'])
    expect(missing[0]).toEqual({ id: '***', url: 'https://cdn.sanity.io/***', status: 404, lack: 'file', why: '***' })
  })

  it('is nothing as long as a file is still being fetched', async () => {
    await using temp = await makeTempFolder()
    expect(await rejection(concludeAssets(temp.path, [['a', place(undefined)]], { clean }))).toMatchObject({
      message: 'an asset was left out',
    })
  })
})
