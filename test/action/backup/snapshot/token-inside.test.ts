import { describe, expect, it } from '@jest/globals'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { backUp, failureOf, readSnapshot, threeDocuments, threeLines } from '../../support.ts'

describe('a dataset that holds the token itself', () => {
  it.concurrent('in a field is backed up unchanged, with a warning to revoke it', async () => {
    await using plain = await startSanity()
    await using sanity = await startSanity({ documents: [...threeDocuments, { _id: 'leak', _type: 'settings', key: plain.token }] })

    await using done = await backUp({ sanity })

    expect((await readSnapshot(done)).lines).toEqual([...threeLines, `{"_id":"leak","_type":"settings","key":"${plain.token}"}`])
    expect(done.warnings).toEqual([expect.stringMatching(/token itself.*Delete that token/)])
  })

  it.concurrent('as a type does not bring it into the manifest or the summary', async () => {
    await using plain = await startSanity()
    await using sanity = await startSanity({ documents: [...threeDocuments, { _id: 'leak', _type: plain.token }] })

    // That it is nowhere is checked for every run.
    await using done = await backUp({ sanity })

    expect(done.exitCode).toBe(0)
    expect(done.warnings).toEqual([expect.stringMatching(/token itself/)])
  })

  it.concurrent('twice, as an id, fails without telling it', async () => {
    await using plain = await startSanity()
    const document = { _id: plain.token, _type: 'post' }
    await using sanity = await startSanity({ documents: [document, document] })

    await using done = await backUp({ sanity })

    expect(failureOf(done)).toMatchObject({ exitCode: 1, code: 'export-invalid' })
  })
})
