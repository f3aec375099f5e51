import { describe, expect, it } from '@jest/globals'
import { findReferrers } from '../../../src/snapshot/read/referrers.ts'
import { writeData } from '../../../src/snapshot/write/data-file.ts'
import { source } from '../../support/feed.ts'
import { makeTempFolder } from '../../support/process.ts'

const image = `image-${'a'.repeat(40)}-1x1-png`
const file = `file-${'b'.repeat(40)}-pdf`
const { signal } = new AbortController()

describe('findReferrers', () => {
  it.each(['gzip', 'zstd'] as const)('names the first five documents that refer to an asset, in their order (%s)', async (compression) => {
    await using temp = await makeTempFolder('referrers')
    const refers = (id: string, ref: string) =>
      Buffer.from(`{"_id":"${id}","_type":"post","main":{"asset":{"_ref": "${ref}","_type":"reference"}}}`)
    const lines = [
      refers('ä-1', image),
      Buffer.from(`{"_id":"${image}","_type":"sanity.imageAsset"}`),
      Buffer.from(`{"_id":"says","_type":"post","text":"${image}"}`),
      refers('both', `${image}"},"other":{"_ref":"${file}`),
      ...Array.from({ length: 9 }, (_, index) => refers(`more-${index}`, image)),
    ]
    const { file: data } = await writeData(temp.path, { lines: source([lines.slice(0, 3), lines.slice(3)]).items, compression, level: 1 })
    expect(await findReferrers({ folder: temp.path, data: data.path, ids: [image, file, 'not.there'], signal })).toEqual(
      new Map([
        [image, ['ä-1', 'both', 'more-0', 'more-1', 'more-2']],
        [file, ['both']],
      ]),
    )
  })
})
