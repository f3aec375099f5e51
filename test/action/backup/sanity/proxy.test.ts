import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { makeTempFolder } from '../../../support/process.ts'
import { backUp, failureOf, readSnapshot, threeDocuments } from '../../support.ts'

describe('a proxy in the environment', () => {
  const nowhere = 'http://somebody:proxyPassword123@127.0.0.1:9'

  it.concurrent.each(['HTTP_PROXY', 'http_proxy'])('is used, and its password not shown: %s', async (variable) => {
    await using sanity = await startSanity({ documents: threeDocuments })

    await using run = await backUp({ sanity }, { env: { [variable]: nowhere } })

    expect(failureOf(run)).toMatchObject({ exitCode: 1, code: 'sanity-unavailable' })
    expect(sanity.requests).toEqual([])
    expect(run.seen).not.toContain('proxyPassword123')
  })

  it.concurrent('whose password reads like a piece of a path or a type bends neither', async () => {
    await using temp = await makeTempFolder('production')
    await using sanity = await startSanity({ documents: [{ _id: 'a', _type: 'production' }] })
    const env = { HTTP_PROXY: 'http://somebody:production@127.0.0.1:9', NO_PROXY: '127.0.0.1' }

    await using run = await backUp({ sanity }, { env, path: temp.path })

    expect(run.outputs['path']).toContain(temp.path)
    expect(run.outputs['manifest']).toBe(join(run.outputs['path'] ?? '', 'manifest.json'))
    expect((await readSnapshot(run)).manifest.documents.byType).toEqual({ production: 1 })
  })

  it.concurrent.each(['NO_PROXY', 'no_proxy'])('is passed by for hosts in %s', async (variable) => {
    await using sanity = await startSanity({ documents: threeDocuments })

    await using run = await backUp({ sanity }, { env: { HTTP_PROXY: nowhere, [variable]: '127.0.0.1' } })

    expect(run.exitCode).toBe(0)
  })
})
