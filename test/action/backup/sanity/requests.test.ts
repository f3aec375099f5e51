import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { ROOT } from '../../../support/process.ts'
import { backUp } from '../../support.ts'

describe('the page on costs', () => {
  it.each([
    { name: 'one', documents: 1 },
    { name: 'five thousand', documents: 5000 },
  ])('says how many requests a night costs, however many documents there are: $name', async ({ documents }) => {
    await using sanity = await startSanity({
      documents: Array.from({ length: documents }, (_, index) => ({ _id: `post-${index}`, _type: 'post', title: 'A post' })),
    })
    await using run = await backUp({ sanity })

    const said = /sends \*\*(\d+) requests\*\* to Sanity's API/.exec(await readFile(join(ROOT, 'docs/costs.md'), 'utf8'))?.[1]
    expect(run.code).toBeUndefined()
    expect(sanity.requests.map(({ route }) => route)).toHaveLength(Number(said))
  })
})
