import { describe, expect, it } from '@jest/globals'
import { findHeartbeatUrl, findSecrets, secretVariables } from '../../src/inputs/secrets.ts'
import { makeKeys } from '../codec/age-files.ts'

const token = 'skINPUTSabcdefghijklmnop'
const heartbeat = 'https://hc-ping.com/eb095278-f28d-448d-87fb-7b75c171a6aa'
const declared = ['project-id', 'dataset', 'token', 'github-token', 'heartbeat-url']

describe('what the runner is told to mask', () => {
  it.each([
    { name: 'nothing', env: {}, masked: [] },
    {
      name: 'all secrets, without white space around them',
      env: { INPUT_TOKEN: ` ${token}\n`, 'INPUT_GITHUB-TOKEN': 'ghs_workflow', 'INPUT_HEARTBEAT-URL': heartbeat },
      masked: [token, 'ghs_workflow', heartbeat],
    },
    { name: 'a token that comes from its own variable', env: { SANITY_AUTH_TOKEN: token }, masked: [token] },
    { name: 'none that is too short', env: { INPUT_TOKEN: 'short' }, masked: [] },
    { name: 'a badly stored token and what it may be', env: { INPUT_TOKEN: `"${token}"` }, masked: [`"${token}"`, token] },
    { name: 'a secret under a misspelt name', env: { INPUT_TOKN: token, INPUT_DATSET: 'production' }, masked: [token] },
    { name: 'a heartbeat URL under a misspelt name', env: { INPUT_HEARTBEAT_URL: heartbeat }, masked: [heartbeat] },
    { name: 'a heartbeat URL with letters swapped in its name', env: { 'INPUT_HEARTBEAT-ULR': heartbeat }, masked: [heartbeat] },
    { name: 'no other input', env: { INPUT_DATASET: 'production', INPUT_DATSET: 'production' }, masked: [] },
  ])('is $name', ({ env, masked }) => {
    expect(findSecrets(env, declared).masked).toEqual(masked)
  })
})

describe('the lines of an identity', () => {
  const data = 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQPZRY9X8GF2TVDW0S3JN54KHCE'
  const key = `AGE-SECRET-KEY-1${data}`

  it.each([
    { name: 'of the input', env: { INPUT_IDENTITY: `# mine\n${key}\n` }, names: ['identity'] },
    { name: 'under a misspelt name', env: { INPUT_IDENTIY: `# mine\n${key}\n` }, names: ['identity'] },
    { name: 'where no command takes one', env: { INPUT_IDENTITY: key }, names: ['dataset'] },
    { name: 'in another input', env: { INPUT_DATASET: key }, names: ['dataset', 'identity'] },
    { name: 'in lower case', env: { INPUT_IDENTITY: key.toLowerCase() }, names: ['identity'] },
  ])('are masked whole, in both letter cases, and without their beginning: $name', ({ env, names }) => {
    const forms = [key, data].flatMap((form) => [form, form.toLowerCase()])
    expect(findSecrets(env, names).masked.toSorted()).toEqual(forms.toSorted())
  })

  it.each(['x25519', 'hybrid'] as const)('are known without their beginning, wherever they stand: %s', async (kind) => {
    const { identity } = await makeKeys(kind)
    const bare = identity.slice(identity.lastIndexOf('1') + 1)
    const masked = [bare, bare.toLowerCase()]
    expect(findSecrets({ INPUT_DATASET: bare.toLowerCase() }, ['dataset']).masked.toSorted()).toEqual(masked)
    expect(findSecrets({ 'INPUT_ENCRYPT-TO': `# mine: ${bare}\n` }, ['encrypt-to']).masked.toSorted()).toEqual(masked)
    expect(findSecrets({ INPUT_DATASET: `${bare.slice(1)}Q` }, ['dataset']).masked).toEqual([])
  })

  it('are masked one by one, whatever they are, but for comments', () => {
    expect(findSecrets({ INPUT_IDENTITY: 'Half of a key\nand-the-rest\n# public' }, ['identity']).masked).toEqual([
      'Half of a key',
      'and-the-rest',
      'AND-THE-REST',
    ])
  })
})

describe('what stays hidden though the runner never saw it', () => {
  it.each([
    {
      name: 'the passwords of all proxies, as written and decoded',
      env: { HTTPS_PROXY: 'http://me:pass%40word1@proxy:3128', http_proxy: 'http://me:other-one@proxy' },
      hidden: ['other-one', 'pass%40word1', 'pass@word1'],
    },
    { name: 'none that is too short to be masked', env: { HTTPS_PROXY: 'http://me:short@proxy' }, hidden: [] },
    { name: 'none of what is no URL', env: { HTTP_PROXY: 'nonsense' }, hidden: [] },
  ])('is $name', ({ env, hidden }) => {
    expect(findSecrets(env, declared).hidden).toEqual(hidden)
  })
})

it('the variables that hold secrets are those of all four inputs, and the token of its own', () => {
  expect(secretVariables.toSorted()).toEqual([
    'INPUT_GITHUB-TOKEN',
    'INPUT_HEARTBEAT-URL',
    'INPUT_IDENTITY',
    'INPUT_TOKEN',
    'SANITY_AUTH_TOKEN',
  ])
})

describe('findHeartbeatUrl', () => {
  it.each([
    { value: heartbeat, found: true },
    { value: 'http://127.0.0.1/x', found: true },
    { value: 'file:///etc/passwd', found: false },
    { value: 'nonsense', found: false },
    { value: '', found: false },
  ])('finds one in "$value": $found', ({ value, found }) => {
    expect(findHeartbeatUrl({ 'INPUT_HEARTBEAT-URL': value }) instanceof URL).toBe(found)
  })
})
