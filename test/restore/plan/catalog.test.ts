import { describe, expect, it } from '@jest/globals'
import { type Catalog, inOrderOfIds, makeCatalog, referrersOf } from '../../../src/restore/plan/catalog.ts'

const count = 5_000
const digest = (byte: number) => Buffer.alloc(16, byte % 256)

function filled(): Catalog {
  const catalog = makeCatalog()
  for (let index = 0; index < count; index++) {
    const about = {
      id: `d${index}`,
      type: `t${index % 7}`,
      digest: digest(index),
      bytes: index,
      references: [`d${(index + 1) % count}`, 'hub'],
    }
    catalog.note('target', { ...about, revision: `r${index}`, createdMs: index })
    if (index % 2 === 0) catalog.note('snapshot', index % 4 === 0 ? about : { ...about, digest: digest(index + 1), type: 'other' })
  }
  return catalog
}

describe('a catalog', () => {
  const catalog = filled()
  const numberOf = (id: string) => catalog.numberOf(id) ?? -1

  it('knows what was noted of each document on each side', () => {
    for (const index of [0, 1, 2, 1023, 1024, 4_998]) {
      const document = numberOf(`d${index}`)
      expect([catalog.has('target', document), catalog.has('snapshot', document)]).toEqual([true, index % 2 === 0])
      expect([catalog.typeOf('target', document), catalog.bytesOf('target', document)]).toEqual([`t${index % 7}`, index])
      expect([catalog.revisionOf(document), catalog.createdMsOf(document)]).toEqual([`r${index}`, index])
      expect([...catalog.referencesOf('target', document)].map(catalog.idOf)).toEqual([`d${index + 1}`, 'hub'])
    }
    expect([catalog.isSame(numberOf('d4')), catalog.isSame(numberOf('d2'))]).toEqual([true, false])
  })

  it('knows ids that are only referred to, on neither side', () => {
    const hub = numberOf('hub')
    expect([catalog.has('target', hub), catalog.has('snapshot', hub), catalog.typeOf('target', hub)]).toEqual([false, false, ''])
  })

  it('knows who refers to whom, in the order that is asked for', () => {
    const order = inOrderOfIds(catalog)
    expect([...order].map(catalog.idOf)).toEqual([...order].map(catalog.idOf).sort())
    const referrers = referrersOf(catalog, 'target', order)
    expect([...referrers(numberOf('d7'))].map(catalog.idOf)).toEqual(['d6'])
    expect([...referrers(numberOf('hub'))].slice(0, 3).map(catalog.idOf)).toEqual(['d0', 'd1', 'd10'])
    expect([...referrers(numberOf('hub'))]).toHaveLength(count)
  })

  it('takes the last of what is noted twice', () => {
    const twice = makeCatalog()
    const about = { id: 'a', type: 't', digest: digest(1), bytes: 1 }
    twice.note('target', { ...about, references: ['b', 'c'] })
    twice.note('target', { ...about, type: 'u', references: ['d'] })
    const document = twice.numberOf('a') ?? -1
    expect([...twice.referencesOf('target', document)].map(twice.idOf)).toEqual(['d'])
    expect(twice.typeOf('target', document)).toBe('u')
  })

  it('forgets a side, and keeps the numbers', () => {
    const forgetful = filled()
    const document = forgetful.numberOf('d4') ?? -1
    forgetful.forget('target')
    expect([forgetful.has('target', document), forgetful.has('snapshot', document), forgetful.numberOf('d4')]).toEqual([
      false,
      true,
      document,
    ])
    expect([...forgetful.referencesOf('target', document)]).toEqual([])
    expect(forgetful.isSame(document)).toBe(false)
  })
})
