import { describe, expect, it } from '@jest/globals'
import type { BackupError } from '../../src/errors.ts'
import { parseInputs } from '../../src/inputs/inputs.ts'
import { givenTo } from './given.ts'

const token = 'skUnitTokenOfTheTarget0123456789'
const defaults = {
  command: 'restore',
  'project-id': 'abc12345',
  dataset: 'production',
  token,
  'api-host': 'https://api.sanity.io',
  'api-version': '2025-02-19',
  'github-token': 'ghs_workflow',
  mode: 'plan',
  mirror: 'false',
  'include-assets': 'true',
  'on-blocked': 'fail',
  'safety-snapshot': 'true',
  'allow-public': 'false',
}

const { env, problemsOf } = givenTo(defaults)

it('the target alone means a plan for its newest artifact', () => {
  expect(parseInputs(env({}))).toEqual({
    command: 'restore',
    target: { projectId: 'abc12345', dataset: 'production', apiHost: new URL('https://api.sanity.io'), apiVersion: '2025-02-19' },
    token,
    source: { projectId: undefined, dataset: undefined },
    which: { place: { kind: 'artifact', name: undefined, runId: undefined }, at: undefined, githubToken: 'ghs_workflow' },
    mode: 'plan',
    confirm: undefined,
    planDigest: undefined,
    mirror: false,
    choice: { types: [], excludeTypes: [], ids: [], excludeIds: [] },
    includeAssets: true,
    onBlocked: 'fail',
    safetySnapshot: true,
    allowPublic: false,
    encryptTo: undefined,
  })
})

it.each([
  {
    inputs: { 'source-project-id': 'xyz98765', 'source-dataset': 'staging' },
    takes: { source: { projectId: 'xyz98765', dataset: 'staging' } },
  },
  {
    inputs: { ids: 'home, drafts.x\nshop.**', types: 'page' },
    takes: { choice: { ids: ['home', 'drafts.x', 'shop.**'], types: ['page'] } },
  },
  { inputs: { mode: 'apply', confirm: ' production ', mirror: 'true' }, takes: { mode: 'apply', confirm: 'production', mirror: true } },
  { inputs: { 'plan-digest': `sha256:${'0'.repeat(64)}` }, takes: { planDigest: `sha256:${'0'.repeat(64)}` } },
])('$inputs is valid', ({ inputs, takes }) => {
  expect(parseInputs(env(inputs))).toMatchObject(takes)
})

describe('refused are', () => {
  it.each([
    { inputs: { 'project-id': '', dataset: '' }, says: ['project-id: is missing', 'dataset: is missing'] },
    { inputs: { token: '' }, says: ['token: is empty'] },
    { inputs: { dataset: '~production' }, says: ['dataset: "~production" is an alias'] },
    { inputs: { 'source-dataset': '~live' }, says: ['source-dataset: "~live" is an alias'] },
    { inputs: { mode: 'appply' }, says: ['mode: "appply" is not one of plan, apply. Did you mean `apply`?'] },
    { inputs: { 'on-blocked': 'ignore' }, says: ['on-blocked: "ignore" is not one of fail, warn'] },
    { inputs: { 'plan-digest': 'sha256:abc' }, says: ['plan-digest: '] },
    { inputs: { mirror: 'yes' }, says: ['mirror: '] },
    { inputs: { types: 'a, b', 'exclude-types': 'b' }, says: ['exclude-types: names a type that is also in `types`'] },
    { inputs: { path: '/a', branch: 'b' }, says: ['branch: names a second place beside `path`'] },
    { inputs: { 'encrypt-to': 'age1nothing' }, says: ['encrypt-to: '] },
    { inputs: { 'plan-digst': 'x' }, says: ['plan-digst: is not an input of this action'] },
  ])('$inputs', ({ inputs, says }) => {
    expect(problemsOf(inputs)).toEqual(says.map((each) => expect.stringContaining(each)))
  })
})

describe('the cure of an empty token', () => {
  it.each([
    { mode: 'plan', secret: 'SANITY_AUTH_TOKEN', role: 'Viewer' },
    { mode: 'apply', secret: 'SANITY_RESTORE_TOKEN', role: 'Editor' },
  ])('names the role that $mode needs', ({ mode, secret, role }) => {
    expect(hintOf({ token: '', mode })).toMatch(new RegExp(`^Set the secret ${secret} .*the ${role} role.*secrets.${secret} `))
  })

  it('of another input names the page of the command', () => {
    expect(hintOf({ mirror: 'perhaps' })).toContain('The page docs/restore.md lists every input')
  })
})

function hintOf(inputs: Readonly<Record<string, string>>): string | undefined {
  try {
    parseInputs(env(inputs))
    return undefined
  } catch (error) {
    return (error as BackupError).hint
  }
}
