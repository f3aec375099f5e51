import { describe, expect, it } from '@jest/globals'
import { addressless, type Missing, nameless, type WantedAsset } from '../../../../src/commands/backup/assets/fetched.ts'
import { currentAssets, makePlaces, noteAsset, outdatedPaths } from '../../../../src/commands/backup/assets/places.ts'
import { findAssetName } from '../../../../src/format/asset-id.ts'

const sha1 = '0a'.repeat(20)
const id = `file-${sha1}-pdf`
const gone: Missing = { kind: 'missing', url: 'https://cdn.sanity.io/a', status: 404, lack: 'file', why: 'it is gone' }

function asset({ url = 'https://cdn.sanity.io/a', sha1hash, of = id }: { url?: string; sha1hash?: string; of?: string } = {}): WantedAsset {
  return { name: findAssetName(of)!, url, sha1hash, sizeBytes: 1 }
}

describe('the places of files', () => {
  it('ask for a file once, though several ids share it', () => {
    const places = makePlaces()
    expect(noteAsset(id, asset(), places)).toEqual(asset())
    expect(noteAsset(`drafts.${id}`, asset(), places)).toBeUndefined()
    expect(currentAssets(places).map(([each]) => each)).toEqual([id, `drafts.${id}`])
  })

  it('keep another address for a file that is being fetched, and ask there for one that was missing', () => {
    const places = makePlaces()
    noteAsset(id, asset(), places)
    const place = places.byPath.get(asset().name.path)!
    const other = asset({ url: 'https://cdn.sanity.io/b' })
    expect(noteAsset(`drafts.${id}`, other, places)).toBeUndefined()
    expect(place.urls).toEqual(['https://cdn.sanity.io/a', 'https://cdn.sanity.io/b'])
    place.fetched = gone
    const third = asset({ url: 'https://cdn.sanity.io/c' })
    expect(noteAsset(`versions.x.${id}`, third, places)).toEqual(third)
    expect(place.fetched).toBeUndefined()
  })

  it.each([
    { what: 'no address', noted: asset({ url: '' }), fetched: addressless },
    { what: 'no name', noted: nameless, fetched: nameless },
  ])('hold an asset that has $what as missing, and ask for nothing', ({ noted, fetched }) => {
    const places = makePlaces()
    expect(noteAsset(id, noted, places)).toBeUndefined()
    expect(currentAssets(places)[0]?.[1].fetched).toBe(fetched)
  })

  it('hold an asset as missing whose document gives the file another SHA-1, and keep the first one', () => {
    const old = `file-${'Zz9'.repeat(8)}-pdf`
    const places = makePlaces()
    expect(noteAsset(old, asset({ of: old, sha1hash: sha1 }), places)).toBeDefined()
    expect(noteAsset(`drafts.${old}`, asset({ of: old, sha1hash: '0b'.repeat(20) }), places)).toBeUndefined()
    expect(currentAssets(places).map(([, place]) => place.fetched)).toEqual([undefined, expect.objectContaining({ lack: 'proof' })])
  })

  it('forget in a new pass what does not come again, and say whose files are left over', () => {
    const places = makePlaces()
    const otherId = `file-${'0c'.repeat(20)}-pdf`
    noteAsset(id, asset(), places)
    noteAsset(otherId, asset({ of: otherId }), places)
    places.pass++
    expect(noteAsset(id, asset(), places)).toBeUndefined()
    expect(currentAssets(places).map(([each]) => each)).toEqual([id])
    expect(outdatedPaths(places)).toEqual([asset({ of: otherId }).name.path])
  })
})
