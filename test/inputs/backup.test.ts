import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { parse } from 'yaml'
import { BackupError } from '../../src/errors.ts'
import { declaredInputs, parseInputs } from '../../src/inputs/inputs.ts'
import { findSecrets } from '../../src/inputs/secrets.ts'

type ActionYml = { readonly inputs: Readonly<Record<string, { readonly default?: string; readonly required?: boolean }>> }

const action = parse(readFileSync(new URL('../../action.yml', import.meta.url), 'utf8')) as ActionYml
const token = 'skINPUTSabcdefghijklmnop'
const heartbeat = 'https://hc-ping.com/eb095278-f28d-448d-87fb-7b75c171a6aa'

const defaultExcluded = ['secrets.**', '*.secrets', '*.secret', 'sanity-preview-url-secret.**']

describe('inputs with the defaults of action.yml', () => {
  it('are valid with a project and a token alone', () => {
    expect(parseInputs(env({}))).toEqual({
      command: 'backup',
      source: { projectId: 'abc12345', dataset: 'production', apiHost: new URL('https://api.sanity.io'), apiVersion: '2025-02-19' },
      token,
      exportMode: 'auto',
      filters: { includeDrafts: true, types: [], excludeTypes: [], excludeIds: defaultExcluded },
      includeAssets: false,
      assetConcurrency: 16,
      assetCache: undefined,
      onMissingAsset: 'fail',
      shard: null,
      compression: 'gzip',
      compressionLevel: 6,
      destinations: new Set(['artifact']),
      path: '/runner/temp/sanity-backup',
      label: null,
      artifactName: 'sanity-abc12345-production',
      retentionDays: undefined,
      branch: 'sanity-backups',
      branchLayout: 'text',
      keepLast: 0,
      commitMessage: 'Back up {project-id}/{dataset}: {count} documents',
      repository: undefined,
      githubToken: 'ghs_workflow',
      allowPublic: false,
      minDocuments: 1,
      maxShrinkPercent: 50,
      heartbeatUrl: undefined,
    })
  })

  it.each(
    Object.entries(action.inputs).flatMap(([name, input]) =>
      input.default && name !== 'exclude-ids' && name !== 'github-token' ? [name] : [],
    ),
  )('are not made up here: without a value for %s nothing runs', (name) => {
    expect(problemsOf({ [name]: '' })).toEqual([`${name}: is missing`])
  })
})

it('inputs are declared by being read, in the order of action.yml', () => {
  expect(declaredInputs({})).toEqual(Object.keys(action.inputs))
})

describe('a value that is taken', () => {
  it.each([
    { input: 'project-id', value: 'a', takes: { source: { projectId: 'a' } } },
    { input: 'project-id', value: '  abc12345\n', takes: { source: { projectId: 'abc12345' } } },
    { input: 'dataset', value: 'my_data-Set2', takes: { source: { dataset: 'my_data-Set2' } } },
    { input: 'api-version', value: 'v2021-06-07', takes: { source: { apiVersion: '2021-06-07' } } },
    { input: 'api-version', value: 'vX', takes: { source: { apiVersion: 'X' } } },
    { input: 'api-version', value: '1', takes: { source: { apiVersion: '1' } } },
    { input: 'api-host', value: 'http://127.0.0.1:4321', takes: { source: { apiHost: new URL('http://127.0.0.1:4321') } } },
    { input: 'api-host', value: 'http://[::1]:4321/', takes: { source: { apiHost: new URL('http://[::1]:4321') } } },
    { input: 'api-host', value: 'https://api.sanity.work', takes: { source: { apiHost: new URL('https://api.sanity.work') } } },
    { input: 'include-drafts', value: 'False', takes: { filters: { includeDrafts: false } } },
    { input: 'allow-public', value: 'TRUE', takes: { allowPublic: true } },
    { input: 'types', value: 'a, b\n\nc ,a', takes: { filters: { types: ['a', 'b', 'c'] } } },
    { input: 'exclude-types', value: 'sanity.imageAsset\r\nb', takes: { filters: { excludeTypes: ['sanity.imageAsset', 'b'] } } },
    { input: 'exclude-ids', value: '', takes: { filters: { excludeIds: [] } } },
    { input: 'exclude-ids', value: 'a.*, b.**', takes: { filters: { excludeIds: ['a.*', 'b.**'] } } },
    { input: 'compression', value: 'zstd', takes: { compression: 'zstd', compressionLevel: 2 } },
    { input: 'compression-level', value: '9', takes: { compressionLevel: 9 } },
    { input: 'destination', value: 'directory\nartifact', takes: { destinations: new Set(['artifact', 'directory']) } },
    { input: 'path', value: 'relative/path', takes: { path: resolve('relative/path') } },
    { input: 'label', value: 'pre-deploy', takes: { label: 'pre-deploy', artifactName: 'sanity-abc12345-production-pre-deploy' } },
    { input: 'artifact-name', value: 'my backup (1)', takes: { artifactName: 'my backup (1)' } },
    { input: 'include-assets', value: 'True', takes: { includeAssets: true } },
    { input: 'asset-concurrency', value: '64', takes: { assetConcurrency: 64 } },
    { input: 'asset-cache', value: 'relative/cache', takes: { assetCache: resolve('relative/cache') } },
    ...[
      { value: '~/backups', folder: '/home/ci/backups' },
      { value: '~', folder: '/home/ci' },
      { value: '~/', folder: '/home/ci' },
      { value: '~//a/../b', folder: '/home/ci/b' },
      { value: 'a/~/b', folder: resolve('a/~/b') },
      { value: '/backups/$x', folder: '/backups/$x' },
    ].flatMap(({ value, folder }) => [
      { input: 'path', value, takes: { path: folder } },
      { input: 'asset-cache', value, takes: { assetCache: folder } },
    ]),
    { input: 'on-missing-asset', value: 'warn', takes: { onMissingAsset: 'warn' } },
    { input: 'retention-days', value: '400', takes: { retentionDays: 400 } },
    { input: 'branch', value: 'backups/sanity-1.0_x@y', takes: { branch: 'backups/sanity-1.0_x@y' } },
    { input: 'branch-layout', value: 'compressed', takes: { branchLayout: 'compressed' } },
    { input: 'commit-message', value: 'Nightly {label}\n\n{"json"}', takes: { commitMessage: 'Nightly {label}\n\n{"json"}' } },
    { input: 'repository', value: 'acme/my_site.backups-1', takes: { repository: 'acme/my_site.backups-1' } },
    { input: 'github-token', value: '', takes: { githubToken: '' } },
    { input: 'min-documents', value: '0', takes: { minDocuments: 0 } },
    { input: 'heartbeat-url', value: heartbeat, takes: { heartbeatUrl: new URL(heartbeat) } },
  ])('for $input: "$value"', ({ input, value, takes }) => {
    expect(parseInputs(env({ [input]: value }))).toMatchObject(takes ?? {})
  })

  it.each([
    { shard: '2/8', takes: { index: 2, of: 8 } },
    { shard: '1/1', takes: { index: 1, of: 1 } },
    { shard: '256/256', takes: { index: 256, of: 256 } },
  ])('for shard: "$shard"', ({ shard, takes }) => {
    const parsed = parseInputs(env({ shard, 'include-assets': 'true', label: 'x' }))
    expect(parsed).toMatchObject({ shard: takes, artifactName: `sanity-abc12345-production-x-shard-${takes.index}-of-${takes.of}` })
  })

  it('but not for a shard on a branch', () => {
    expect(problemsOf({ shard: '1/2', 'include-assets': 'true', destination: 'artifact, branch' })).toEqual([
      expect.stringMatching(/^shard: does not go with `destination: branch`/),
    ])
  })

  it.each(['0/8', '9/8', '1/0', '8', '1/8/2', '-1/8', '1/257', '1.5/8', 'a/b'])('but not for shard: "%s"', (shard) => {
    expect(problemsOf({ shard, 'include-assets': 'true' })).toEqual([expect.stringMatching(/^shard: ".*" is not a part such as 2\/8/)])
  })

  it('as token comes from SANITY_AUTH_TOKEN when the input is empty', () => {
    expect(parseInputs({ ...env({ token: '' }), SANITY_AUTH_TOKEN: ` ${token}\n` })).toHaveProperty('token', token)
  })

  it('as token comes from the input when both are there', () => {
    expect(parseInputs({ ...env({}), SANITY_AUTH_TOKEN: 'skANOTHERtoken' })).toHaveProperty('token', token)
  })
})

describe('a value that is refused', () => {
  it.each([
    { input: 'project-id', value: '', says: 'is missing' },
    { input: 'project-id', value: 'ABC', says: '"ABC" is not in lower case: write `abc`' },
    { input: 'project-id', value: '-abc', says: 'is not a project id: it begins with a dash' },
    { input: 'project-id', value: 'a'.repeat(65), says: 'is longer than 64 characters' },
    { input: 'project-id', value: 'Über', says: 'letters, digits and dashes' },
    { input: 'project-id', value: 'a.evil.example/', says: 'is not a project id' },
    { input: 'dataset', value: '', says: 'is missing' },
    { input: 'dataset', value: '../x', says: 'is not the name of a dataset' },
    { input: 'dataset', value: 'Production', says: '"Production" is not in lower case: write `production`' },
    { input: 'dataset', value: '_x', says: 'it begins with neither a letter nor a digit' },
    { input: 'dataset', value: '~production', says: 'is an alias' },
    { input: 'dataset', value: 'a'.repeat(65), says: 'is not the name of a dataset: it is longer than 64 characters' },
    { input: 'token', value: '', says: 'is empty. Is the secret set' },
    { input: 'include-assets', value: 'yes', says: '"yes" is not `true` or `false`' },
    { input: 'asset-concurrency', value: '0', says: '"0" is not a whole number from 1 to 64' },
    { input: 'asset-concurrency', value: '65', says: 'is not a whole number from 1 to 64' },
    { input: 'asset-cache', value: 'a\0b', says: 'is not a path' },
    { input: 'on-missing-asset', value: 'skip', says: '"skip" is not one of fail, warn, ignore' },
    { input: 'on-missing-asset', value: 'Warn', says: '"Warn" is not in lower case: write `warn`' },
    { input: 'shard', value: '1/2', says: 'divides the assets, so it needs `include-assets: true`' },
    { input: 'token', value: 'short', says: 'has only 5 characters' },
    { input: 'token', value: `${token} ${token}`, says: 'holds white space or a line break' },
    { input: 'token', value: `${token}\n${token}`, says: 'holds white space or a line break' },
    { input: 'token', value: `${token}ü`, says: 'holds a character that no token has' },
    { input: 'api-host', value: 'api.sanity.io', says: 'is not the address of a host' },
    { input: 'api-host', value: 'ftp://api.sanity.io', says: 'is not the address of a host' },
    { input: 'api-host', value: 'https://user:pass@api.sanity.io', says: 'holds a user name or a password' },
    { input: 'api-host', value: 'https://api.sanity.io/v1', says: 'is not the address of a host' },
    { input: 'api-host', value: 'https://api.sanity.io?x', says: 'is not the address of a host' },
    { input: 'api-host', value: 'http://api.sanity.io', says: 'must begin with https://' },
    { input: 'api-host', value: 'http://127.0.0.1.evil.example', says: 'must begin with https://' },
    { input: 'api-host', value: 'http://localhost.evil.example', says: 'must begin with https://' },
    { input: 'api-version', value: '2025', says: 'is not an API version' },
    { input: 'api-version', value: 'vv2025-02-19', says: 'is not an API version' },
    { input: 'api-version', value: '2025-13-01', says: 'there is no such day' },
    { input: 'api-version', value: '2025-02-00', says: 'there is no such day' },
    { input: 'include-drafts', value: 'yes', says: '"yes" is not `true` or `false`' },
    { input: 'include-drafts', value: 'tRUE', says: 'is not `true` or `false`' },
    { input: 'types', value: 'a b', says: '"a b" holds white space' },
    { input: 'types', value: 'a'.repeat(257), says: 'is longer than 256 characters' },
    { input: 'exclude-ids', value: 'a/b', says: 'is not a pattern of ids' },
    { input: 'compression', value: 'brotli', says: '"brotli" is not one of gzip, zstd' },
    { input: 'compression', value: 'GZIP', says: 'is not in lower case: write `gzip`' },
    { input: 'compression-level', value: '0', says: 'is not a whole number from 1 to 9' },
    { input: 'compression-level', value: '10', says: 'is not a whole number from 1 to 9' },
    { input: 'compression-level', value: '1.5', says: 'is not a whole number' },
    { input: 'compression-level', value: '1e0', says: 'is not a whole number' },
    { input: 'destination', value: 's3', says: '"s3" is a step of its own: use `destination: directory`' },
    { input: 'destination', value: 'artefact', says: 'is not one of artifact, directory, branch. Did you mean `artifact`?' },
    { input: 'destination', value: 'bucket', says: '"bucket" is not one of artifact, directory, branch' },
    { input: 'destination', value: 'artifact directory', says: 'is not one word: write `artifact, directory`' },
    { input: 'destination', value: 'Artifact', says: 'is not in lower case: write `artifact`' },
    { input: 'destination', value: ' , \n', says: 'is missing' },
    { input: 'label', value: 'pre deploy', says: 'is not a label' },
    { input: 'label', value: '../x', says: 'is not a label' },
    { input: 'path', value: 'a\u200db', says: 'holds an invisible character' },
    { input: 'artifact-name', value: 'a/b', says: 'is not a name for an artifact: it holds one of' },
    { input: 'artifact-name', value: 'a\nb', says: 'it holds a line break or another control character' },
    { input: 'artifact-name', value: '50% full', says: 'it holds one of' },
    { input: 'artifact-name', value: 'a ##[error]b', says: 'it holds ##[, which the log would take for a command' },
    { input: 'artifact-name', value: '..', says: 'it is made of dots alone' },
    { input: 'artifact-name', value: 'a'.repeat(201), says: 'it is longer than 200 characters' },
    { input: 'retention-days', value: '0', says: 'is not a whole number from 1 to 400' },
    { input: 'retention-days', value: '401', says: 'is not a whole number from 1 to 400' },
    { input: 'retention-days', value: '-1', says: 'is not a whole number' },
    ...[
      { value: 'refs/heads/a', says: 'is the full name of a ref: write `a`' },
      ...['a b', 'a~1', 'a^', 'a:b', 'a?', 'a*', 'a[', 'a\\'].map((value) => ({
        value,
        says: 'it holds white space or one of ~ ^ : ? * [ \\',
      })),
      { value: 'x'.repeat(201), says: 'it is longer than 200 characters' },
      ...['/a', 'a/', 'a//b', '-a'].map((value) => ({ value, says: 'it begins with a dash or has a slash too many' })),
      ...['a..b', '.a', 'a/.b', 'a.'].map((value) => ({ value, says: 'it has a dot at a beginning or at the end, or two in a row' })),
      ...['a.lock', 'a.lock/b'].map((value) => ({ value, says: 'a part of it ends in .lock' })),
      ...['@', 'a@{b', 'HEAD'].map((value) => ({ value, says: 'git gives HEAD, @ and @{ a meaning of their own' })),
    ].map(({ value, says }) => ({ input: 'branch', value, says })),
    ...['path', 'asset-cache'].flatMap((input) => [
      { input, value: '~ci/backups', says: 'what only a shell would expand: write ~/' },
      { input, value: '$HOME/backups', says: 'what only a shell would expand' },
      { input, value: '${HOME}/backups', says: 'what only a shell would expand' },
      { input, value: '%USERPROFILE%\\backups', says: 'what only a shell would expand' },
    ]),
    { input: 'label', value: 'x.partial', says: 'is not a label' },
    { input: 'branch-layout', value: 'pretty', says: '"pretty" is not one of text, compressed' },
    { input: 'keep-last', value: '-1', says: 'is not a whole number' },
    { input: 'keep-last', value: 'all', says: 'is not a whole number' },
    { input: 'max-shrink-percent', value: '101', says: 'is not a whole number from 0 to 100' },
    { input: 'max-shrink-percent', value: '50%', says: 'is not a whole number' },
    { input: 'commit-message', value: 'Back up {datset}', says: '"{datset}" is not one of {project-id}, {dataset}, {count}' },
    { input: 'commit-message', value: 'a\u0007', says: 'is not plain text' },
    ...['acme', 'acme/', '/site', 'acme/site/x'].map((value) => ({
      input: 'repository',
      value,
      says: 'is not a repository: `owner/name`',
    })),
    { input: 'repository', value: 'acme/..', says: 'is not a repository: its name' },
    { input: 'repository', value: 'ac me/site', says: 'is not a repository: its owner' },
    { input: 'repository', value: 'https://github.com/acme/site', says: 'is an address: write `owner/name` alone' },
    { input: 'repository', value: 'git@github.com:acme/site.git', says: 'is an address: write `owner/name` alone' },
    { input: 'github-token', value: 'ghs_a b', says: 'holds white space or a line break' },
    { input: 'github-token', value: '"ghs_abcdefgh"', says: 'is in quotes: store it without them' },
    { input: 'allow-public', value: '1', says: 'is not `true` or `false`' },
    { input: 'min-documents', value: 'many', says: 'is not a whole number from 0 to 9007199254740991' },
    { input: 'min-documents', value: '99999999999999999', says: 'is not a whole number from 0 to 9007199254740991' },
    { input: 'heartbeat-url', value: 'hc-ping.com/x', says: 'is not an http(s) URL' },
    { input: 'heartbeat-url', value: 'file:///etc/passwd', says: 'is not an http(s) URL' },
  ])('for $input: "$value"', ({ input, value, says }) => {
    expect(problemsOf({ [input]: value })).toEqual([expect.stringMatching(new RegExp(`^${input}: .*${literally(says)}`))])
  })

  it('is a home folder that the runner does not name', () => {
    const { HOME: _, ...homeless } = env({ path: '~/backups' })
    expect(() => parseInputs(homeless)).toThrow('path: begins with ~, and this runner names no home folder (HOME)')
  })

  it('is a type that is both wanted and unwanted', () => {
    expect(problemsOf({ types: 'a,b', 'exclude-types': 'c,b' })).toEqual(['exclude-types: "b" is also in `types`'])
  })

  it('is a level of zstd above 19', () => {
    expect(problemsOf({ compression: 'zstd', 'compression-level': '20' })).toEqual([
      'compression-level: "20" is not a whole number from 1 to 19, in digits alone',
    ])
  })

  it('is not followed by complaints that it causes itself', () => {
    expect(problemsOf({ 'include-assets': 'yes', shard: '1/2' })).toEqual([expect.stringMatching(/^include-assets: /)])
    expect(problemsOf({ compression: 'zsdt', 'compression-level': '19' })).toEqual([expect.stringMatching(/^compression: /)])
  })

  it('is told of together with all others, in the order of action.yml', () => {
    const bad = Object.fromEntries(Object.keys(action.inputs).map((input) => [input, 'a\u0001 /b']))
    const reported = problemsOf({ ...bad, path: '', 'asset-cache': 'a\0b', 'compression-level': 'x' }).map(
      (problem) => problem.split(':')[0],
    )
    expect([...new Set(reported)]).toEqual(Object.keys(action.inputs))
  })

  it('is one error with the number of problems in its title', () => {
    expect(errorOf({ dataset: '', token: '' })).toMatchObject({
      code: 'input-invalid',
      title: '2 inputs are not valid',
      retry: { tries: 1 },
    })
    expect(errorOf({ dataset: '' })).toMatchObject({ title: 'An input is not valid' })
  })
})

describe('the cure', () => {
  it('of a token that is not there is the secret, not the with: block', () => {
    const { hint } = errorOfEnv(env({ token: '' }))
    expect(hint).toMatch(/^Set the secret SANITY_AUTH_TOKEN in the repository/)
    expect(hint).not.toContain('Correct the')
  })

  it('of anything else as well is the with: block', () => {
    expect(errorOfEnv(env({ token: '', dataset: '' })).hint).toMatch(/^Correct the `with:` block/)
  })
})

describe('an input that is not declared', () => {
  const names = Object.keys(action.inputs)
  const misspelt = names.flatMap((name) => {
    const places = Array.from(name, (_, place) => place)
    return [
      ...places.map((place) => ({ name, slip: `${name.slice(0, place)}q${name.slice(place + 1)}` })),
      ...places.map((place) => ({ name, slip: name.slice(0, place) + name.slice(place + 1) })),
      ...places.map((place) => ({ name, slip: name.slice(0, place + 1) + name.slice(place) })),
      { name, slip: name.replaceAll('-', '_').replace(/^(?!.*_)/, '_') },
    ].filter(({ slip }) => !names.includes(slip))
  })

  it.each(names)('is refused with the name that was meant, with any letter changed, dropped or doubled: %s', (meant) => {
    const slips = misspelt.filter(({ name }) => name === meant).map(({ slip }) => slip)

    expect(slips.length).toBeGreaterThan(3 * meant.length - 3)
    expect(slips.flatMap((slip) => undeclaredIn({ [slip]: 'x' }))).toEqual(
      slips.map((slip) => `${slip}: is not an input of this action. Did you mean \`${meant}\`?`),
    )
  })

  it('is refused though it is empty, and though all else is good', () => {
    expect(undeclaredIn({ datset: '' })).toEqual(['datset: is not an input of this action. Did you mean `dataset`?'])
  })

  it('is told after all bad ones that are declared, with words for a variable that nobody meant as an input', () => {
    const { message, hint } = errorOfEnv({ ...env({ 'heartbeat-url': 'x', dataset: '' }), INPUT_DATSET: 'x', INPUT_A: 'y' })

    expect(message.split('\n').map((line) => line.split(':')[0])).toEqual(['dataset', 'heartbeat-url', 'a', 'datset'])
    expect(hint).toContain('does not begin with INPUT_')
  })

  it.each([
    { name: 'under a misspelt name', given: { INPUT_HEARTBEAT_URL: heartbeat }, says: true },
    { name: 'under another misspelt name', given: { 'INPUT_HEARTBEAT-ULR': heartbeat }, says: true },
    {
      name: 'as it should be, beside a misspelt one',
      given: { 'INPUT_HEARTBEAT-URL': heartbeat, INPUT_HEARTBEAT_URL: heartbeat },
      says: false,
    },
    { name: 'not at all, beside another misspelt input', given: { INPUT_DATSET: 'x' }, says: false },
  ])('is refused with the word that a watchdog was not told, where that is so, and without its URL: given $name', ({ given, says }) => {
    const { message, hint } = errorOfEnv({ ...env({}), ...given })
    expect(hint.includes('The watchdog was not told of this failure')).toBe(says)
    expect(message + hint).not.toContain(heartbeat)
  })

  it.each([
    { name: 'a variable whose name only looks like one', variable: 'MY_INPUT_X' },
    { name: 'one in lower case, which no runner sets', variable: 'input_x' },
  ])('is not $name', ({ variable }) => {
    expect(parseInputs({ ...env({}), [variable]: 'x' })).toMatchObject({ token })
  })

  it('has a value that is never shown, and is masked if it may be a secret', () => {
    const secrets = { INPUT_TOKN: 'skMISSPELTabcdefgh', INPUT_GITHUB_TOKEN: 'ghs_misspelt', INPUT_DATSET: 'production' }
    const { message, hint, title } = errorOfEnv({ ...env({}), ...secrets })

    expect([message, hint, title].join('\n')).not.toMatch(/skMISSPELT|ghs_misspelt|production/)
    expect(maskedIn({ ...env({}), ...secrets }).toSorted()).toEqual(
      ['ghs_misspelt', 'ghs_workflow', token, 'skMISSPELTabcdefgh'].toSorted(),
    )
  })

  it('is harmless in the message, whatever it is called', () => {
    expect(undeclaredIn({ '\u001b##[error]x\n::error::y': 'x' })).toEqual([
      expect.stringMatching(/^# #\[error\]x : ?:error::y: is not an input/),
    ])
  })
})

describe('a token with something around it', () => {
  it.each([
    { name: 'double quotes', value: `"${token}"`, says: 'is in quotes: store it without them' },
    { name: 'single quotes', value: `'${token}'`, says: 'is in quotes' },
    { name: 'backticks', value: `\`${token}\``, says: 'is in quotes' },
    { name: 'curly quotes', value: `\u201c${token}\u201d`, says: 'is in quotes' },
    { name: 'a quote before it alone', value: `"${token}`, says: 'is in quotes' },
    { name: 'a quote behind it alone', value: `${token}'`, says: 'is in quotes' },
    { name: 'the word Bearer', value: `Bearer ${token}`, says: 'begins with the word `Bearer`' },
    { name: 'the word bearer and a line break', value: `bearer\n${token}`, says: 'begins with the word `Bearer`' },
    { name: 'its name', value: `SANITY_AUTH_TOKEN=${token}`, says: 'begins with a name and `=` or `:`' },
    { name: 'its name in YAML', value: `token: ${token}`, says: 'begins with a name and `=` or `:`' },
    { name: 'a line break inside', value: `${token}\n${token}`, says: 'holds white space or a line break' },
    { name: 'a space inside', value: `${token} ${token}`, says: 'holds white space or a line break' },
    { name: 'a comma behind it', value: `${token},`, says: 'holds a character that no token has' },
    { name: 'braces around it', value: `{${token}}`, says: 'holds a character that no token has' },
  ])('is refused with the cure, never shown, and masked in both forms: $name', ({ value, says }) => {
    for (const input of ['token', 'github-token']) {
      const { message } = errorOf({ token: 'skANOTHER0123456789', [input]: value })

      expect(message).toMatch(new RegExp(`^${input}: ${literally(says)}`))
      expect(message).not.toContain(token)
      expect(maskedIn(env({ [input]: value }))).toEqual(expect.arrayContaining([value, token]))
    }
  })

  it.each([token, 'sk.abc-DEF_123~x+y/z==', 'eyJhbGciOi.J9.x_y-z'])(
    'is another thing than a token of all characters that one may have: %s',
    (value) => {
      expect(parseInputs(env({ token: value }))).toHaveProperty('token', value)
      expect(maskedIn(env({ token: value }))).toEqual([value, 'ghs_workflow'])
    },
  )
})

describe('what must never be shown', () => {
  it('is not in any problem: the tokens and the heartbeat URL', () => {
    const secrets = { token: `${token} space`, 'github-token': 'ghs_SECRET space', 'heartbeat-url': 'ftp://hc-ping.com/SECRET' }
    const { message, title, hint } = errorOf({ ...secrets, dataset: '' })
    expect([message, title, hint].filter((text) => /SECRET|skINPUTS/.test(text))).toEqual([])
  })
})

it('reads any values without any error but input-invalid, and one harmless line for each problem', () => {
  const anyValues = fc.dictionary(fc.constantFrom(...Object.keys(action.inputs)), fc.string({ unit: 'binary', maxLength: 100 }))
  fc.assert(
    fc.property(anyValues, (values) => {
      const lines = problemsOf(values)
      expect(lines.filter((line) => !(line.split(':')[0] ?? '').match(/^[a-z-]+$/) || line.length > 400)).toEqual([])
    }),
    { numRuns: 500 },
  )
})

/** The environment as the runner makes it: every declared input, with its default. */
function env(values: Readonly<Record<string, string>>): Record<string, string> {
  const given: Record<string, string> = { 'project-id': 'abc12345', token, ...values }
  const contexts: Record<string, string> = {
    '${{ runner.temp }}/sanity-backup': '/runner/temp/sanity-backup',
    '${{ github.token }}': 'ghs_workflow',
  }
  const inputs = Object.entries(action.inputs).map(([name, input]) => {
    const ownDefault = input.default ?? ''
    return [`INPUT_${name.toUpperCase()}`, given[name] ?? contexts[ownDefault] ?? ownDefault]
  })
  return { HOME: '/home/ci', ...Object.fromEntries(inputs) }
}

function maskedIn(given: Readonly<Record<string, string>>): string[] {
  return findSecrets(given, declaredInputs(given)).masked
}

function errorOf(values: Readonly<Record<string, string>>): BackupError {
  return errorOfEnv(env(values))
}

/** The problems of good inputs with undeclared ones beside them, as the runner hands them on. */
function undeclaredIn(values: Readonly<Record<string, string>>): string[] {
  const variables = Object.entries(values).map(([name, value]) => [`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`, value])
  return errorOfEnv({ ...env({}), ...Object.fromEntries(variables) }).message.split('\n')
}

function errorOfEnv(given: Readonly<Record<string, string>>): BackupError {
  try {
    parseInputs(given)
  } catch (error) {
    if (error instanceof BackupError) return error
    throw error
  }
  return new BackupError({ code: 'unexpected', title: '', message: '', hint: '' })
}

/** One line for each problem; none for inputs that are taken. */
function problemsOf(values: Readonly<Record<string, string>>): string[] {
  return errorOf(values)
    .message.split('\n')
    .filter((line) => line !== '')
}

function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
