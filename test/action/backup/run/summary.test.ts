import { describe, expect, it } from '@jest/globals'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { backUp, threeDocuments } from '../../support.ts'

/** The lines of the chart, without its fence. */
const chartOf = (summary: string): string[] => (/```mermaid\n([\s\S]*?)\n```/.exec(summary)?.[1] ?? '').split('\n')

describe('the job summary', () => {
  it.concurrent('shows a snapshot at a glance', async () => {
    await using sanity = await startSanity({ documents: [...threeDocuments, { _id: 'drafts.a', _type: 'post' }] })

    await using run = await backUp({ sanity })

    const rows = Object.fromEntries([...run.summary.matchAll(/^\| ([A-Z][^|]*?) \| (.*?) \|$/gm)].map(([, name, value]) => [name, value]))
    expect(run.summary).toContain(run.outputs['snapshot'])
    expect(Object.keys(rows)).toEqual(expect.arrayContaining(['Documents', 'Size', 'Duration', 'Consistency']))
    expect(rows).toMatchObject({ Documents: '4' })
    expect(run.summary).toMatch(/### Not in this snapshot[\s\S]*Asset[\s\S]*secrets[\s\S]*### Restore it[\s\S]*dataset import/)
  })

  it.concurrent('tells where the time went', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })
    sanity.fault('export', { stream: { firstByteDelayMs: 1_500 } })

    await using run = await backUp({ sanity })

    const [, ...seconds] =
      /^\| Time went to \| download ([\d.]+) s, compress ([\d.]+) s, upload ([\d.]+) s, verify ([\d.]+) s \|$/m.exec(run.summary) ?? []
    expect(seconds.map(Number).every(Number.isFinite)).toBe(true)
    expect(Number(seconds[0])).toBeGreaterThanOrEqual(1.4)
  })

  it.concurrent('has a chart whose slices add up to the documents', async () => {
    const documents = Array.from({ length: 40 }, (_, type) =>
      Array.from({ length: type + 1 }, (_each, index) => ({ _id: `d${type}-${index}`, _type: `type${type}` })),
    ).flat()
    await using sanity = await startSanity({ documents })

    await using run = await backUp({ sanity })

    const [head, ...slices] = chartOf(run.summary)
    const counts = slices.map((slice) => Number(/^ {2}"[A-Za-z0-9._? -]+" : (\d+)$/.exec(slice)?.[1]))
    expect(head).toBe('pie showData title Documents by type')
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(documents.length)
    expect(slices.length).toBeLessThanOrEqual(20)
  })

  it.concurrent('stays small with 5,000 types of long names', async () => {
    const documents = Array.from({ length: 5_000 }, (_, index) => ({ _id: `d${index}`, _type: `${'long*_<>|`'.repeat(20)}${index}` }))
    await using sanity = await startSanity({ documents })

    await using run = await backUp({ sanity })

    expect(run.exitCode).toBe(0)
    expect(Buffer.byteLength(run.summary)).toBeLessThan(20_000)
    expect(chartOf(run.summary)).toEqual([
      'pie showData title Documents by type',
      ...Array.from({ length: 12 }, () => expect.stringMatching(/^ {2}"[^"]{40}" : 1$/)),
      '  "4988 other types" : 4988',
    ])
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
    expect(run.summary).toMatch(/What to do/)
    expect(run.summary).not.toMatch(/Restore it/)
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
