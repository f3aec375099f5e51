import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { parse } from 'yaml'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { ROOT } from '../../../support/process.ts'
import { backUp, failureOf, readSnapshot, threeDocuments, together } from '../../support.ts'
import { backUpWith, invalid, otherToken, problemsOf } from './support.ts'

type Bad = { readonly name: string; readonly input: string; readonly value: string }

const bad: readonly Bad[] = [
  { name: 'an empty project id', input: 'project-id', value: '' },
  { name: 'a project id in upper case', input: 'project-id', value: 'ABC12345' },
  { name: 'a project id with a path', input: 'project-id', value: 'abc/../x' },
  { name: 'a project id with a host', input: 'project-id', value: 'abc.evil.example' },
  { name: 'a project id that begins with a dash', input: 'project-id', value: '-abc' },
  { name: 'an empty dataset', input: 'dataset', value: '' },
  { name: 'a dataset with a path', input: 'dataset', value: '../x' },
  { name: 'a dataset with a space', input: 'dataset', value: 'my data' },
  { name: 'two datasets', input: 'dataset', value: 'a,b' },
  { name: 'a dataset with a query', input: 'dataset', value: 'a?x=1' },
  { name: 'a dataset that is too long', input: 'dataset', value: 'a'.repeat(66) },
  { name: 'an empty token', input: 'token', value: '' },
  { name: 'a blank token', input: 'token', value: ' \n ' },
  { name: 'a short token', input: 'token', value: 'sk12345' },
  { name: 'an empty API host', input: 'api-host', value: '' },
  { name: 'an API host without a scheme', input: 'api-host', value: 'api.sanity.io' },
  { name: 'an API host with a path', input: 'api-host', value: 'https://api.sanity.io/v1' },
  { name: 'an API host with a query', input: 'api-host', value: 'https://api.sanity.io/?x' },
  { name: 'an API host with a user', input: 'api-host', value: 'https://user:pass@api.sanity.io' },
  { name: 'an API host of another protocol', input: 'api-host', value: 'ftp://api.sanity.io' },
  { name: 'an API host in the clear', input: 'api-host', value: 'http://api.sanity.io' },
  { name: 'an API host in the clear that looks like loopback', input: 'api-host', value: 'http://127.0.0.1.evil.example' },
  { name: 'an API host in the clear that begins like loopback', input: 'api-host', value: 'http://localhost.evil.example' },
  { name: 'an API version that is no date', input: 'api-version', value: 'latest' },
  { name: 'an API version with a path', input: 'api-version', value: '2025-02-19/../..' },
  { name: 'an empty include-drafts', input: 'include-drafts', value: '' },
  { name: 'yes as include-drafts', input: 'include-drafts', value: 'yes' },
  { name: '1 as include-drafts', input: 'include-drafts', value: '1' },
  { name: 'tRUE as include-drafts', input: 'include-drafts', value: 'tRUE' },
  { name: 'a type with a space', input: 'types', value: 'post, my type' },
  { name: 'an excluded type with a space', input: 'exclude-types', value: 'your type' },
  { name: 'a pattern with a slash', input: 'exclude-ids', value: 'a/b' },
  { name: 'an unknown level of gzip', input: 'compression-level', value: '10' },
  { name: 'the level 0', input: 'compression-level', value: '0' },
  { name: 'a negative level', input: 'compression-level', value: '-1' },
  { name: 'a fraction as level', input: 'compression-level', value: '1.5' },
  { name: 'an unknown destination', input: 'destination', value: 'artifact, s3' },
  { name: 'an empty destination', input: 'destination', value: ' , ' },
  { name: 'an empty path', input: 'path', value: '' },
  { name: 'a label with a space', input: 'label', value: 'my label' },
  { name: 'a label with a slash', input: 'label', value: '../up' },
  { name: 'a label that is too long', input: 'label', value: 'a'.repeat(65) },
  { name: 'an artifact name with a slash', input: 'artifact-name', value: 'a/b' },
  { name: 'an artifact name with a colon', input: 'artifact-name', value: 'a:b' },
  { name: 'an artifact name with a line break', input: 'artifact-name', value: 'a\nb' },
  { name: 'no days of retention', input: 'retention-days', value: '0' },
  { name: 'too many days of retention', input: 'retention-days', value: '401' },
  { name: 'a word as days of retention', input: 'retention-days', value: 'ten' },
  { name: 'a GitHub token with a line break', input: 'github-token', value: 'ghs_first\nghs_second' },
  { name: 'a word as allow-public', input: 'allow-public', value: 'on' },
  { name: 'a negative minimum', input: 'min-documents', value: '-1' },
  { name: 'a hexadecimal minimum', input: 'min-documents', value: '0x10' },
  { name: 'a heartbeat URL that is none', input: 'heartbeat-url', value: 'hc-ping.example/uuid-of-the-heartbeat' },
  { name: 'a heartbeat URL of another protocol', input: 'heartbeat-url', value: 'file:///etc/passwd-of-the-heartbeat' },
]

/** The first bad values of all inputs are given in one run, the second ones in another: each is told in a line of its own. */
const batchOf = (row: Bad): string => String(bad.filter(({ input }) => input === row.input).indexOf(row))

const batches = [...Map.groupBy(bad, batchOf)].map(([name, rows]) => ({ name, rows }))

const failed = together(batches, async ({ rows }) => await backUpWith(Object.fromEntries(rows.map(({ input, value }) => [input, value]))))

describe('a bad input', () => {
  it.each(bad)('fails the run, named, before anything is asked for: $name', async (row) => {
    const { run, requests } = await failed(batchOf(row))

    expect(failureOf(run)).toMatchObject(invalid)
    expect(problemsOf(run).filter((problem) => problem.startsWith(`${row.input}: `))).toHaveLength(1)
    expect(requests).toBe(0)
  })

  it.concurrent('fails the run with its name alone when all others are good', async () => {
    const { run } = await backUpWith({ dataset: '../x' })

    expect(failureOf(run)).toMatchObject({ ...invalid, title: 'An input is not valid' })
    expect(problemsOf(run)).toEqual([expect.stringMatching(/^dataset: ./)])
  })

  it.concurrent('is told together with all others, in the order of action.yml', async () => {
    const values = {
      'heartbeat-url': 'x',
      'min-documents': 'x',
      'allow-public': 'x',
      'retention-days': 'x',
      label: '/',
      destination: 'x',
      compression: 'x',
      'include-drafts': 'x',
      'api-version': 'x',
      'api-host': 'x',
      token: '',
      dataset: '/',
      'project-id': '',
    }

    const { run, requests } = await backUpWith(values)

    const { inputs } = parse(await readFile(join(ROOT, 'action.yml'), 'utf8')) as { inputs: Record<string, unknown> }
    expect(failureOf(run)).toMatchObject({ ...invalid, title: '13 inputs are not valid' })
    expect(problemsOf(run).map((problem) => problem.split(':')[0])).toEqual(Object.keys(inputs).filter((name) => name in values))
    expect(requests).toBe(0)
  })

  it.concurrent('that is misspelt, which the runner only warns of, fails the run and names the one that was meant', async () => {
    const { run, requests } = await backUpWith({}, { env: { INPUT_DATSET: 'staging', 'INPUT_INCLUDE-ASSET': '' } })

    expect(failureOf(run)).toMatchObject({ ...invalid, title: '2 inputs are not valid' })
    expect(problemsOf(run)).toEqual([
      'datset: is not an input of this action. Did you mean `dataset`?',
      'include-asset: is not an input of this action. Did you mean `include-assets`?',
    ])
    expect(requests).toBe(0)
  })

  it.concurrent('that is misspelt and holds a secret is masked like that secret, and not shown', async () => {
    const { run } = await backUpWith({ token: '' }, { env: { INPUT_TOKN: otherToken } })

    expect(problemsOf(run).at(-1)).toBe('tokn: is not an input of this action. Did you mean `token`?')
    expect(run.masks).toContain(otherToken)
    expect(run.seen.replaceAll(/^::add-mask::.*$/gm, '')).not.toContain(otherToken)
  })

  it.concurrent('is quoted without what could act on the log', async () => {
    const { run } = await backUpWith({ dataset: 'x\n::error::forged\u001b[31m##[error]forged' })

    expect(failureOf(run)).toMatchObject(invalid)
    expect(run.maskedLog).not.toMatch(/^Error: forged/m)
    expect(run.log).not.toContain('\u001b')
  })

  it.concurrent('is a type that is both wanted and excluded', async () => {
    const { run } = await backUpWith({ types: 'post, author', 'exclude-types': 'page, author' })

    expect(failureOf(run)).toMatchObject(invalid)
    expect(problemsOf(run)).toEqual([expect.stringMatching(/^exclude-types: .*author/)])
  })
})

describe('a good input', () => {
  it.concurrent.each(['true', 'True', 'TRUE', 'false', 'False', 'FALSE'])('may be the boolean %s', async (value) => {
    await using sanity = await startSanity({ documents: threeDocuments })

    await using run = await backUp({ sanity }, { inputs: { 'include-drafts': value, 'allow-public': value } })

    expect((await readSnapshot(run)).manifest.filters.includeDrafts).toBe(value.toLowerCase() === 'true')
  })

  it.concurrent('may have white space around it', async () => {
    const { run } = await backUpWith({
      dataset: ' production\n',
      'min-documents': ' 1 ',
      compression: 'zstd\n',
      destination: '\ndirectory\n',
    })

    expect(run.exitCode).toBe(0)
  })

  it.concurrent('may be a level of zstd that gzip does not have', async () => {
    const { run } = await backUpWith({ compression: 'zstd', 'compression-level': '19' })

    expect(run.exitCode).toBe(0)
  })

  it.concurrent.each(['localhost', '127.0.0.1'])('may be an API host in the clear on %s', async (host) => {
    await using sanity = await startSanity({ documents: threeDocuments })

    await using run = await backUp({ sanity }, { inputs: { 'api-host': sanity.url.replace('127.0.0.1', host) } })

    expect(run.exitCode).toBe(0)
  })

  it.concurrent('reaches no child process when it is a secret', async () => {
    const { run } = await backUpWith({}, { env: { SANITY_AUTH_TOKEN: otherToken } })

    // The runner exports what an action adds to GITHUB_ENV.
    expect({ exitCode: run.exitCode, exportedEnv: run.exportedEnv, state: run.state }).toEqual({ exitCode: 0, exportedEnv: {}, state: {} })
  })
})
