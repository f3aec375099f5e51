import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect, it } from '@jest/globals'
import { canonicalDigest } from '../../../src/restore/canonical/canonical.ts'
import type { SanityDocument } from '../../doubles/sanity/data/store.ts'
import { startSanity } from '../../doubles/sanity/sanity.ts'
import { makeTempFolder, runPeer } from '../../support/process.ts'
import { backUp } from '../support.ts'
import { applying, restoreInto } from './support.ts'

const count = 10_000
const at = '2026-01-01T00:00:00Z'
const exporter = new URL('../../peers/export.mjs', import.meta.url)
const strong = (id: string) => ({ _type: 'reference', _ref: id })

/** Whole numbers from 0 to below `limit`, the same ones for the same seed. */
function drawing(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return (state >>> 8) % limit
  }
}

/** Chains, rings, a hub, documents that refer to themselves, drafts, and versions of two releases. */
function generated(seed: number): SanityDocument[] {
  const draw = drawing(seed)
  const idOf = (index: number): string =>
    index % 9 === 3 ? `drafts.d${index}` : index % 11 === 5 ? `versions.r${index % 2}.d${index}` : `d${index}`
  const documents = Array.from({ length: count }, (_, index): SanityDocument => {
    const kind = index % 5
    const near = Math.floor(index / 50) * 50
    const links = [
      ...(kind === 0 && index > 0 ? [strong(idOf(index - 1))] : []),
      ...(kind === 1 ? [strong(idOf(near + ((index + 1) % 50))), strong(idOf(near + draw(50)))] : []),
      ...(kind === 2 ? [strong(idOf(index)), strong('d0')] : []),
      ...(kind === 3 ? [strong(idOf(draw(count))), { ...strong('nowhere'), _weak: true }] : []),
    ]
    return {
      _id: idOf(index),
      _type: `t${index % 7}`,
      _createdAt: at,
      _updatedAt: at,
      _rev: `r${index}`,
      links,
      n: draw(1000),
      text: 'x'.repeat(draw(400)),
    }
  })
  const releases = ['r0', 'r1'].map((name) => ({
    _id: `_.releases.${name}`,
    _type: 'system.release',
    _createdAt: at,
    _rev: name,
    name,
    state: 'active',
    metadata: { title: name },
  }))
  return [...documents, ...releases]
}

/** What became of the documents since: some are gone, with all that refers to them, some are changed, some have another type, and some are new. */
function spoiled(documents: readonly SanityDocument[], seed: number): SanityDocument[] {
  const draw = drawing(seed)
  const some = (of: number) => new Set(documents.filter(({ _id }) => !_id.startsWith('_.') && draw(of) === 0).map(({ _id }) => _id))
  const [gone, retyped] = [some(5), some(200)]
  const kept = documents.flatMap((document): SanityDocument[] => {
    if (gone.has(document._id)) return []
    const links = (document['links'] as { _ref: string }[] | undefined)?.filter(({ _ref }) => !gone.has(_ref))
    // What refers to one of another type must change with it, else its type could not be changed back.
    const changed = draw(10) === 0 || links?.some(({ _ref }) => retyped.has(_ref))
    const same = {
      ...document,
      ...(links === undefined ? {} : { links }),
      ...(changed ? ('metadata' in document ? { metadata: {} } : { n: -1 }) : {}),
    }
    return [retyped.has(document._id) ? { ...same, _type: 'retyped' } : same]
  })
  const ids = kept.flatMap(({ _id }) => (_id.startsWith('_.') ? [] : _id))
  const added = Array.from({ length: 500 }, (_, index): SanityDocument => {
    const links = [strong(`new${(index + 1) % 500}`), strong(ids[draw(ids.length)] ?? '')]
    return { _id: `new${index}`, _type: 'new', _createdAt: '2026-06-01T00:00:00Z', _rev: `n${index}`, links }
  })
  return [...kept, ...added]
}

it.each([{ referenceCheck: 'each', seed: 20_261_128 }] as const)(
  '10,000 documents come back exactly, references checked at $referenceCheck (seed $seed)',
  async ({ referenceCheck, seed }) => {
    await using temp = await makeTempFolder('generated')
    const documents = generated(seed)
    await using source = await startSanity({ documents })
    await using backup = await backUp({ sanity: source }, { path: temp.path })
    expect(backup.code).toBeUndefined()
    await using sanity = await startSanity({ documents: spoiled(documents, seed + 1), rules: { referenceCheck } })
    const revisions = new Map(
      sanity
        .store()
        .documents()
        .map(({ _id, _rev }) => [_id, _rev]),
    )

    await using run = await restoreInto({ sanity }, { inputs: { path: temp.path, mirror: 'true', ...applying() } })
    expect(run.error).toBeUndefined()
    expect(run.outputs).toMatchObject({ status: 'restored', 'delete-count': '500', 'blocked-count': '0' })

    const outputPath = join(temp.path, 'export.tar.gz')
    const connection = { url: sanity.url, project: sanity.project, dataset: sanity.dataset, token: sanity.token }
    expect(await runPeer(exporter, { ...connection, outputPath })).toMatchObject({ exitCode: 0, stderr: '' })
    expect(digestsOf(linesOfTar(await readFile(outputPath)))).toEqual(digestsOf(documents.map((document) => JSON.stringify(document))))
    const touched = new Set(run.plan.map(({ id }) => id))
    const others = sanity
      .store()
      .documents()
      .filter(({ _id }) => !touched.has(_id))
    expect(others.length).toBeGreaterThan(1000)
    expect(others.filter(({ _id, _rev }) => _rev !== revisions.get(_id))).toEqual([])
  },
)

/** Ids, with what is equal for equal documents. */
function digestsOf(lines: readonly string[]): Record<string, string> {
  const without = new Set(['_rev', '_updatedAt', '_system'])
  return Object.fromEntries(
    lines.map((line) => [(JSON.parse(line) as SanityDocument)._id, canonicalDigest(Buffer.from(line), { without }).toString('hex')]),
  )
}

function linesOfTar(tar: Buffer): string[] {
  const text = gunzipSync(tar).toString('utf8')
  return text.split('\n').flatMap((line) => /\{"_.*\}$/.exec(line)?.[0] ?? [])
}
