import { describe, expect, it } from '@jest/globals'
import { ensureUnlocked, openerFor } from '../../src/commands/unlock.ts'
import type { Found } from '../../src/destinations/destination.ts'
import type { Manifest } from '../../src/format/manifest/manifest.ts'
import { makeKeys, openerFor as openerOf, sealBytes, sealerFor } from '../codec/age-files.ts'
import { exampleManifest, foundOf } from '../support/example.ts'
import { rejection } from '../support/feed.ts'
import { makeTempFolder } from '../support/process.ts'
import { replaceFile, writeSealedSnapshot } from '../support/sealed-snapshot.ts'

const ann = await makeKeys('x25519')
const eve = await makeKeys('x25519')
const ignore = () => undefined

function setUp(encryption: Manifest['encryption']) {
  const parts: [Found] = [foundOf({ ...exampleManifest, encryption })]
  const warnings: string[] = []
  return {
    chosen: { parts },
    warnings,
    tools: { log: { info: ignore, debug: ignore, progress: ignore, warning: (text: string) => void warnings.push(text) } },
  }
}

describe('what opens a snapshot', () => {
  it('is nothing for one in the clear, with a warning if there is a key', () => {
    const { chosen, warnings, tools } = setUp(null)
    expect(openerFor(chosen, undefined, tools)).toBeUndefined()
    expect(warnings).toEqual([])
    expect(openerFor(chosen, [ann.identity], tools)).toBeUndefined()
    expect(warnings).toEqual([expect.stringContaining('is not encrypted')])
  })

  it.each([
    { name: 'names the recipients', recipients: ['age1one', 'age1two'], says: 'It is encrypted to age1one, age1two.' },
    { name: 'names the first of many', recipients: Array.from({ length: 13 }, (_, index) => `age1${index}`), says: /age19 and 3 more\.$/ },
    { name: 'makes what a manifest says harmless', recipients: ['x\n::error::y'], says: expect.not.stringContaining('\n') },
    { name: 'says that there are none', recipients: [], says: 'names no recipient' },
  ])('is asked for where there is no key: the error $name', ({ recipients, says }) => {
    const { chosen, tools } = setUp({ format: 'age/v1', recipients })
    const open = () => openerFor(chosen, undefined, tools)
    expect(open).toThrow(expect.objectContaining({ code: 'snapshot-locked', title: 'The snapshot is encrypted' }))
    expect(open).toThrow(typeof says === 'string' || says instanceof RegExp ? says : expect.objectContaining({ message: says }))
  })

  it('is not known where it is encrypted in another way', () => {
    const { chosen, tools } = setUp({ format: 'age/v2', recipients: [] })
    expect(() => openerFor(chosen, [ann.identity], tools)).toThrow(expect.objectContaining({ code: 'snapshot-invalid' }))
  })
})

describe('a snapshot that was fetched', () => {
  it.each([
    { name: 'opens with the key', key: ann, change: undefined, locked: false },
    { name: 'is locked for another key', key: eve, change: undefined, locked: true },
    { name: 'is not locked because one file is for others', key: ann, change: 'data.ndjson.gz.age', locked: false },
    { name: 'opens even if only one file does', key: eve, change: 'data.ndjson.gz.age', locked: false },
  ])('$name', async ({ key, change, locked }) => {
    await using temp = await makeTempFolder('unlock')
    const manifest = await writeSealedSnapshot(temp.path, { keys: [ann] })
    if (change) await replaceFile(temp.path, change, await sealBytes(await sealerFor(eve), Buffer.from('x')))
    const fetched = [{ folder: temp.path, listed: [], odd: [] }]
    const unlocking = ensureUnlocked({ parts: [foundOf(manifest)] }, fetched, openerOf(key))
    if (locked) {
      expect(await rejection(unlocking)).toMatchObject({ code: 'snapshot-locked', message: expect.stringContaining(ann.recipient) })
    } else expect(await unlocking).toBeUndefined()
  })

  it('is not locked because all of it is damaged or gone: that is for the check to say', async () => {
    await using temp = await makeTempFolder('unlock')
    const manifest = await writeSealedSnapshot(temp.path, { keys: [ann] })
    await replaceFile(temp.path, 'details.json.age', Buffer.from('damaged'))
    const files = manifest.files.map((file) => ({ ...file, path: file.path.replace('data.', 'data.ndjson.') }))
    const fetched = [{ folder: temp.path, listed: [], odd: [] }]
    expect(await ensureUnlocked({ parts: [foundOf({ ...manifest, files })] }, fetched, openerOf(eve))).toBeUndefined()
  })
})
