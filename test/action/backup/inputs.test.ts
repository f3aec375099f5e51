import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { parse } from 'yaml'
import { startSanity } from '../../doubles/sanity/sanity.ts'
import { makeTempFolder, ROOT } from '../../support/process.ts'
import { type BackupOptions, type BackupRun, backUp, failureOf, readSnapshot, threeDocuments } from '../support.ts'

type Inputs = Readonly<Record<string, string>>

/** Backs up a small dataset with some inputs. */
async function backUpWith(
  inputs: Inputs,
  options: BackupOptions = {},
): Promise<{ run: BackupRun; requests: number; authorization: string | undefined }> {
  await using sanity = await startSanity({ documents: threeDocuments, tokens: { [otherToken]: { role: 'viewer' } } })
  await using run = await backUp({ sanity }, { ...options, inputs })
  return { run, requests: sanity.requests.length, authorization: sanity.of('export')[0]?.authorization }
}

const otherToken = 'skOTHER0123456789abcdefghijklmnopqrstuvwxyzOTHER'
const invalid = { exitCode: 1, code: 'input-invalid' }

/** The problems that the one error names, without the hint. */
const problemsOf = (run: BackupRun): string[] => (run.error?.message ?? '').split('\nHint: ')[0]!.split('\n')

const bad: readonly { readonly name: string; readonly input: string; readonly value: string }[] = [
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
  { name: 'an excluded type with a space', input: 'exclude-types', value: 'my type' },
  { name: 'a pattern with a slash', input: 'exclude-ids', value: 'a/b' },
  { name: 'an unknown compression', input: 'compression', value: 'brotli' },
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

describe('a bad input', () => {
  it.concurrent.each(bad)('fails the run, alone and named, before anything is asked for: $name', async ({ input, value }) => {
    const { run, requests } = await backUpWith({ [input]: value })

    expect(failureOf(run)).toMatchObject({ ...invalid, title: 'An input is not valid' })
    expect(problemsOf(run)).toEqual([expect.stringMatching(new RegExp(`^${input}: .`))])
    expect(requests).toBe(0)
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

describe('a token', () => {
  it.concurrent.each([
    { name: 'quotes around it', token: '"skFirstHalf01234skSecondHalf5678"' },
    { name: 'Bearer before it', token: 'Bearer skFirstHalf01234skSecondHalf5678' },
    { name: 'its name before it', token: 'SANITY_AUTH_TOKEN=skFirstHalf01234skSecondHalf5678' },
    { name: 'a space inside', token: 'skFirstHalf01234 skSecondHalf5678' },
    { name: 'a line break inside', token: 'skFirstHalf01234\nskSecondHalf5678' },
    { name: 'CRLF inside', token: 'skFirstHalf01234\r\nskSecondHalf5678' },
    { name: 'a tab inside', token: 'skFirstHalf01234\tskSecondHalf5678' },
    { name: 'a control character inside', token: 'skFirstHalf01234\u0001skSecondHalf5678' },
    { name: 'an escape sequence inside', token: 'skFirstHalf01234\u001b[31mskSecondHalf5678' },
    { name: 'another alphabet inside', token: 'skFirstHalf01234äskSecondHalf5678' },
    { name: 'a zero-width space inside', token: 'skFirstHalf01234\u200bskSecondHalf5678' },
  ])('with $name is refused, and no part of it is shown', async ({ token }) => {
    const { run, requests } = await backUpWith({ token })

    const seen = run.seen.replaceAll(/^::add-mask::.*$/gm, '')
    expect(failureOf(run)).toMatchObject(invalid)
    expect(problemsOf(run)).toEqual([expect.stringMatching(/^token: /)])
    expect(seen).not.toContain('skFirstHalf01234')
    expect(seen).not.toContain('skSecondHalf5678')
    expect(requests).toBe(0)
  })

  it.concurrent('in quotes is masked with and without them', async () => {
    const { run } = await backUpWith({ token: `"${otherToken}"` })

    expect(run.masks).toEqual(expect.arrayContaining([`"${otherToken}"`, otherToken]))
  })

  it.concurrent('with line breaks inside is masked line by line by the runner', async () => {
    const { run } = await backUpWith({ token: 'skFirstHalf01234\nskSecondHalf5678' })

    expect(run.masks).toContain('skFirstHalf01234\nskSecondHalf5678')
  })

  it.concurrent.each([
    { name: 'a line feed behind it', value: `${otherToken}\n` },
    { name: 'CRLF behind it', value: `${otherToken}\r\n` },
    { name: 'white space around it', value: `  ${otherToken}\t\n\n` },
  ])('is trimmed: $name', async ({ value }) => {
    const { run, authorization } = await backUpWith({ token: value })

    expect(run.exitCode).toBe(0)
    expect(authorization).toBe(`Bearer ${otherToken}`)
  })

  it.concurrent('is masked before anything else is printed', async () => {
    const { run } = await backUpWith({ token: otherToken })

    expect(run.log.split('\n')[0]).toBe(`::add-mask::${otherToken}`)
    expect(run.masks).toContain(otherToken)
  })

  it.concurrent('that is too short is not masked, for that would mask half the log', async () => {
    const { run } = await backUpWith({ token: 'sk1' })

    expect(run.masks).not.toContain('sk1')
    expect(problemsOf(run)).toEqual([expect.stringMatching(/^token: .*3 characters/)])
  })

  it.concurrent('comes from SANITY_AUTH_TOKEN when the input is empty, and is masked', async () => {
    const { run, authorization } = await backUpWith({ token: '' }, { env: { SANITY_AUTH_TOKEN: `${otherToken}\n` } })

    expect(run.exitCode).toBe(0)
    expect(run.masks).toContain(otherToken)
    expect(authorization).toBe(`Bearer ${otherToken}`)
  })

  it.concurrent('of the input comes before that of the environment', async () => {
    const { authorization } = await backUpWith({ token: otherToken }, { env: { SANITY_AUTH_TOKEN: 'skENVIRONMENT0123456789' } })

    expect(authorization).toBe(`Bearer ${otherToken}`)
  })

  it.concurrent('in the environment is refused like one in the input', async () => {
    const { run } = await backUpWith({ token: '' }, { env: { SANITY_AUTH_TOKEN: 'skHalf0123456789 skHalf0123456789' } })

    expect(failureOf(run)).toMatchObject(invalid)
    expect(problemsOf(run)).toEqual([expect.stringMatching(/^token: /)])
  })

  it.concurrent('that is missing is explained with forks', async () => {
    const { run } = await backUpWith({ token: '' })

    expect(problemsOf(run)).toEqual([expect.stringMatching(/secret.*forks/i)])
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

describe('the path', () => {
  it.concurrent('fails the run when it is a file', async () => {
    await using folder = await makeTempFolder('path')
    const path = join(folder.path, 'file')
    await writeFile(path, 'mine')

    const { run } = await backUpWith({ path })

    expect(failureOf(run)).toMatchObject({ ...invalid, message: expect.stringMatching(/^path: /) })
    expect(await readFile(path, 'utf8')).toBe('mine')
  })

  it.concurrent('fails the run when it lies below a file', async () => {
    await using folder = await makeTempFolder('path')
    await writeFile(join(folder.path, 'file'), 'mine')

    const { run } = await backUpWith({ path: join(folder.path, 'file', 'below') })

    expect(failureOf(run)).toMatchObject({ ...invalid, message: expect.stringMatching(/^path: /) })
  })

  // Where even root may make no folder.
  it.concurrent('fails the run when nobody may write there', async () => {
    const { run } = await backUpWith({ path: '/sys/backups' })

    expect(failureOf(run)).toMatchObject({ ...invalid, message: expect.stringMatching(/^path: .*\/sys\/backups/) })
  })

  it.concurrent('is made when it is not there, and is relative to the workspace', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })

    await using run = await backUp({ sanity }, { inputs: { path: 'deep/er' } })

    expect(run.outputs['path']).toMatch(new RegExp(`^${run.workspace}/deep/er/abc12345-production-`))
  })

  it.concurrent('keeps what else lies in it', async () => {
    await using folder = await makeTempFolder('path')
    await writeFile(join(folder.path, 'mine.txt'), 'mine')

    const { run } = await backUpWith({ path: folder.path })

    expect(run.exitCode).toBe(0)
    expect(await readFile(join(folder.path, 'mine.txt'), 'utf8')).toBe('mine')
  })
})
