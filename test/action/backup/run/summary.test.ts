import { describe, expect, it } from '@jest/globals'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { backUp, threeDocuments } from '../../support.ts'

/** The rows of the table of types: the name and the number of each. */
const typesOf = (summary: string): [string, number][] =>
  [...summary.matchAll(/^\| (.*) \| ([\d,]+) \| █+ \|$/gm)].map(([, type = '', count = '']) => [type, Number(count.replaceAll(',', ''))])

describe('the job summary', () => {
  it.concurrent('shows a snapshot at a glance', async () => {
    await using sanity = await startSanity({ documents: [...threeDocuments, { _id: 'drafts.a', _type: 'post' }] })

    await using run = await backUp({ sanity })

    expect(run.summary).toMatch(/^## Sanity backup of production: ✅ complete, 4 documents\n/)
    expect(run.summary).toContain('| Documents | **4** |\n| Drafts and versions | 1 |\n')
    expect(run.summary).toMatch(
      /\*\*Not included:\*\* image and file assets.*secrets[\s\S]*<summary>Restore<\/summary>[\s\S]*- uses: \.\/restore\n[\s\S]*dataset import/,
    )
    expect(run.summary).toContain(`| Snapshot | ${run.outputs['snapshot']} |`)
  })

  it.concurrent('tells where the time went', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })
    sanity.fault('export', { stream: { firstByteDelayMs: 1_500 } })

    await using run = await backUp({ sanity })

    const [, ...seconds] =
      /^\| Timing \| [\d.]+ s \(download ([\d.]+) s, compress ([\d.]+) s, upload ([\d.]+) s, verify ([\d.]+) s; export at .*\) \|$/m.exec(
        run.summary,
      ) ?? []
    expect(seconds.map(Number).every(Number.isFinite)).toBe(true)
    expect(Number(seconds[0])).toBeGreaterThanOrEqual(1.4)
  })

  it.concurrent('has a table of types whose numbers add up to the documents', async () => {
    const documents = Array.from({ length: 40 }, (_, type) =>
      Array.from({ length: type + 1 }, (_each, index) => ({ _id: `d${type}-${index}`, _type: `type${type}` })),
    ).flat()
    await using sanity = await startSanity({ documents })

    await using run = await backUp({ sanity })

    const types = typesOf(run.summary)
    expect(types.reduce((sum, [, count]) => sum + count, 0)).toBe(documents.length)
    expect(types).toHaveLength(21)
  })

  it.concurrent('stays small with 5,000 types of long names', async () => {
    const documents = Array.from({ length: 5_000 }, (_, index) => ({ _id: `d${index}`, _type: `${'long*_<>|`'.repeat(20)}${index}` }))
    await using sanity = await startSanity({ documents })

    await using run = await backUp({ sanity })

    expect(run.exitCode).toBe(0)
    expect(Buffer.byteLength(run.summary)).toBeLessThan(20_000)
    const types = typesOf(run.summary)
    expect(types.slice(0, -1).map(([, count]) => count)).toEqual(Array.from({ length: 20 }, () => 1))
    expect(types.at(-1)).toEqual(['4,980 other types', 4_980])
  })

  it.concurrent('stays small with 5,000 types to be left out', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })
    const types = Array.from({ length: 5_000 }, (_, index) => `type${index}`).join(',')

    await using run = await backUp({ sanity }, { inputs: { 'exclude-types': types } })

    expect(run.exitCode).toBe(0)
    expect(Buffer.byteLength(run.summary)).toBeLessThan(20_000)
  })

  it.concurrent('says after a failure what failed and what to do', async () => {
    await using sanity = await startSanity({ documents: [] })

    await using run = await backUp({ sanity })

    expect(run.summary).toContain(run.error?.title)
    expect(run.summary).toContain('too-few-documents')
    expect(run.summary).toMatch(/\n1\. Check `dataset`.*\n2\. If the dataset may be empty, set `min-documents: 0`\.\n/)
    expect(run.summary).not.toMatch(/<summary>Restore/)
  })

  it.concurrent('may be missing: outside of GitHub the snapshot is made all the same', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })

    await using run = await backUp({ sanity }, { env: { GITHUB_STEP_SUMMARY: '' } })

    expect(run.exitCode).toBe(0)
  })

  it.concurrent('may be impossible to write: that is warned of, and fails nothing', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })

    await using run = await backUp({ sanity }, { env: { GITHUB_STEP_SUMMARY: '/nowhere/summary' } })

    expect(run.exitCode).toBe(0)
    expect(run.warnings).toEqual([expect.stringMatching(/summary/)])
  })
})
