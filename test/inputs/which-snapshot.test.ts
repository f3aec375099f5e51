import { describe, expect, it } from '@jest/globals'
import { inputReader } from '../../src/inputs/reader.ts'
import { variableOf } from '../../src/inputs/variables.ts'
import { readWhichSnapshot, type WhichSnapshot } from '../../src/inputs/which-snapshot.ts'

type Given = Readonly<Record<string, string>>

function read(given: Given): WhichSnapshot {
  const env = Object.fromEntries(Object.entries(given).map(([name, value]) => [variableOf(name), value]))
  const reader = inputReader(env)
  const which = readWhichSnapshot(reader)
  reader.finish()
  return which
}

const sha = '0123456789abcdef0123456789abcdef01234567'

describe('which snapshot is meant', () => {
  it.each<{ name: string; given: Given; place: WhichSnapshot['place'] }>([
    { name: 'nothing', given: {}, place: { kind: 'artifact', name: undefined, runId: undefined } },
    { name: 'a path', given: { path: '/backups' }, place: { kind: 'directory', path: '/backups' } },
    { name: 'a name', given: { 'artifact-name': 'nightly' }, place: { kind: 'artifact', name: 'nightly', runId: undefined } },
    { name: 'a run', given: { 'run-id': '42' }, place: { kind: 'artifact', name: undefined, runId: '42' } },
    { name: 'a branch', given: { branch: 'b' }, place: { kind: 'branch', branch: 'b', commit: undefined, repository: undefined } },
    {
      name: 'a commit of another repository',
      given: { branch: 'b', commit: sha, repository: 'acme/backups' },
      place: { kind: 'branch', branch: 'b', commit: sha, repository: 'acme/backups' },
    },
  ])('is read from $name', ({ given, place }) => {
    expect(read(given)).toEqual({ place, at: undefined, githubToken: '' })
  })

  it.each([
    { given: { path: '/a', branch: 'b' }, says: /^branch: names a second place beside `path`/ },
    { given: { path: '/a', 'artifact-name': 'b' }, says: /^artifact-name: names a second place beside `path`/ },
    { given: { 'artifact-name': 'a', branch: 'b' }, says: /^branch: names a second place beside `artifact-name`/ },
    { given: { path: '/a', 'run-id': '4' }, says: /^run-id: goes with an artifact/ },
    { given: { branch: 'b', 'run-id': '4' }, says: /^run-id: goes with an artifact/ },
    { given: { commit: sha }, says: /^commit: needs `branch`/ },
    { given: { path: '/a', commit: sha }, says: /^commit: needs `branch`/ },
    { given: { repository: 'acme/site' }, says: /^repository: needs `branch`/ },
    { given: { branch: 'b', commit: sha, at: '2026-11-20' }, says: /^at: says nothing beside `commit`/ },
    { given: { branch: 'b', commit: '0123456' }, says: /^commit: "0123456" is a short SHA/ },
    { given: { branch: 'b', commit: 'main' }, says: /^commit: "main" is not the SHA/ },
    { given: { 'run-id': 'https://github.com/acme/site/actions/runs/42' }, says: /write `42` alone/ },
    { given: { 'run-id': '-1' }, says: /^run-id: "-1" is not the id/ },
  ])('is refused where it means nothing: $given', ({ given, says }) => {
    expect(() => read(given)).toThrow(says)
  })
})

describe('the time of a snapshot', () => {
  it.each([
    { given: '2026-11-20', is: '2026-11-20T23:59:59.000Z' },
    { given: '2026-11-20T10:00', is: '2026-11-20T10:00:00.000Z' },
    { given: '2026-11-20T23:59', is: '2026-11-20T23:59:00.000Z' },
    { given: '2026-11-20 10:00', is: '2026-11-20T10:00:00.000Z' },
    { given: '2026-11-20T10:00:30Z', is: '2026-11-20T10:00:30.000Z' },
    { given: '2026-11-20T10:00:30.25Z', is: '2026-11-20T10:00:30.000Z' },
    { given: '2026-11-20T10:00:00+02:00', is: '2026-11-20T08:00:00.000Z' },
    { given: '2026-11-20T10:00:00-0230', is: '2026-11-20T12:30:00.000Z' },
    { given: '2024-02-29', is: '2024-02-29T23:59:59.000Z' },
  ])('$given is $is', ({ given, is }) => {
    expect(read({ at: given }).at?.toISOString()).toBe(is)
  })

  it.each([
    '2026-13-40',
    '2026-02-30',
    '2025-02-29T10:00',
    'yesterday',
    '2026-11',
    '20.11.2026',
    '2026-11-20T25:00',
    '2026-11-20T10:00+99:00',
    '1763633000',
  ])('is refused with an example where it is %s', (given) => {
    expect(() => read({ at: given })).toThrow(/^at: ".*" is not a date or time such as 2026-11-20, /)
  })
})
