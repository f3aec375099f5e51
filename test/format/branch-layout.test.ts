import { createHash } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { depthFor, documentPath, isUnsafeId, isUnsafeType, partBytes, partsOf, typeInPath } from '../../src/format/branch-layout.ts'

const hh = (published: string, byte = 0) =>
  createHash('sha256')
    .update(published)
    .digest('hex')
    .slice(byte * 2, byte * 2 + 2)

describe('a name that some systems do not take', () => {
  it.each([
    ...['con', 'NUL', 'aux.x', 'Prn', 'com1', 'lpt9', 'com0'].map((name) => ({ name, type: true, id: true })),
    { name: 'post.', type: true, id: false },
    { name: '.con', type: false, id: false },
    ...['cons', 'com', 'com10', 'x.con', 'con-1', 'a con', 'post', '文'].map((name) => ({ name, type: false, id: false })),
    { name: 'ü'.repeat(42), type: false, id: true },
    { name: 'ü'.repeat(43), type: true, id: true },
    { name: '文'.repeat(28), type: false, id: true },
    { name: 'x'.repeat(250), type: false, id: false },
    { name: 'x'.repeat(251), type: false, id: true },
  ])('as a type: $type, as an id: $id: $name', ({ name, type, id }) => {
    expect({ type: isUnsafeType(name), id: isUnsafeId(name) }).toEqual({ type, id })
  })
})

describe('documentPath', () => {
  it.each([
    { name: 'a document', id: 'a', type: 'post', path: `documents/post/${hh('a')}/a.json` },
    { name: 'a draft, beside its document', id: 'drafts.a', type: 'post', path: `documents/post/${hh('a')}/drafts.a.json` },
    { name: 'a version, beside its document', id: 'versions.r1.a', type: 'post', path: `documents/post/${hh('a')}/versions.r1.a.json` },
    {
      name: 'a release',
      id: '_.releases.r1',
      type: 'system.release',
      path: `documents/system.release/${hh('_.releases.r1')}/_.releases.r1.json`,
    },
    { name: 'dots in front', id: '..', type: '.git', path: `documents/%2Egit/${hh('..')}/%2E..json` },
    { name: 'a slash', id: 'a/b', type: 'x/..', path: `documents/x%2F../${hh('a/b')}/a%2Fb.json` },
    { name: 'a per cent sign', id: 'a%2Fb', type: 't', path: `documents/t/${hh('a%2Fb')}/a%252Fb.json` },
    { name: 'letters of other scripts', id: 'ü', type: '文', path: `documents/%E6%96%87/${hh('ü')}/%C3%BC.json` },
    {
      name: 'a long id of safe letters',
      id: 'x'.repeat(200),
      type: 't',
      path: `documents/t/${hh('x'.repeat(200))}/${'x'.repeat(200)}.json`,
    },
    { name: 'a line feed and a NUL', id: 'a\n\0', type: 't', path: `documents/t/${hh('a\n\0')}/a%0A%00.json` },
  ])('names $name', ({ id, type, path }) => {
    expect(documentPath({ id, type }, 1)).toBe(path)
  })

  it('has a second level of folders at depth 2', () => {
    expect(documentPath({ id: 'drafts.a', type: 'post' }, 2)).toBe(`documents/post/${hh('a')}/${hh('a', 1)}/drafts.a.json`)
  })

  it('gives two documents never the same path, and each only names that are safe everywhere', () => {
    const text = fc.oneof(fc.string({ unit: 'binary', minLength: 1 }), fc.stringMatching(/^[a%.F2E/]{1,6}$/))
    fc.assert(
      fc.property(text, text, text, (id, other, type) => {
        const path = documentPath({ id, type }, 1)
        expect(path).toMatch(/^documents\/[A-Za-z0-9_%-][A-Za-z0-9_.%-]*\/[0-9a-f]{2}\/[A-Za-z0-9_%-][A-Za-z0-9_.%-]*\.json$/)
        expect(typeInPath(path)).toBe(type)
        if (id !== other) expect(documentPath({ id: other, type }, 1)).not.toBe(path)
      }),
      { numRuns: 10_000 },
    )
  })

  it.each(['manifest.json', 'assets/files/a.pdf', 'documents/a.json', 'documents/post/a.json'])(
    'does not take %s for a document',
    (path) => {
      expect(typeInPath(path)).toBeUndefined()
    },
  )
})

it.each([
  { count: 0, depth: 1 },
  { count: 200_000, depth: 1 },
  { count: 200_001, depth: 2 },
])('uses depth $depth for $count documents', ({ count, depth }) => {
  expect(depthFor(count)).toBe(depth)
})

describe('partsOf', () => {
  it.each([
    { name: 'nothing', size: 0, parts: ['data.ndjson.gz 0-0'] },
    { name: '45 MiB', size: partBytes, parts: [`data.ndjson.gz 0-${partBytes}`] },
    {
      name: 'a byte more',
      size: partBytes + 1,
      parts: [`data.ndjson.gz.001 0-${partBytes}`, `data.ndjson.gz.002 ${partBytes}-${partBytes + 1}`],
    },
  ])('cuts $name', ({ size, parts }) => {
    expect(partsOf('data.ndjson.gz', size).map(({ path, start, end }) => `${path} ${start}-${end}`)).toEqual(parts)
  })
})
