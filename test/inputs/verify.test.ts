import { describe, expect, it } from '@jest/globals'
import { commandOf, declaredInputs, parseInputs } from '../../src/inputs/inputs.ts'
import { givenTo } from './given.ts'

const defaults = { command: 'verify', level: 'data', 'github-token': 'ghs_workflow' }

const { env, problemsOf } = givenTo(defaults)

it('the dataset alone means its newest artifact, read to the last byte', () => {
  expect(parseInputs(env({ 'project-id': 'abc12345', dataset: 'production' }))).toEqual({
    command: 'verify',
    source: { projectId: 'abc12345', dataset: 'production' },
    which: { place: { kind: 'artifact', name: undefined, runId: undefined }, at: undefined, githubToken: 'ghs_workflow' },
    level: 'data',
    maxAgeHours: undefined,
    fetchTo: undefined,
  })
})

it.each([
  { inputs: { path: '/backups' }, takes: { which: { place: { kind: 'directory', path: '/backups' } } } },
  { inputs: { branch: 'sanity-backups' }, takes: { which: { place: { kind: 'branch', branch: 'sanity-backups' } } } },
  { inputs: { path: '/b', 'max-age-hours': '30' }, takes: { maxAgeHours: 30 } },
  { inputs: { path: '/b', level: 'structure' }, takes: { level: 'structure' } },
  { inputs: { path: '/b', 'fetch-to': '/c' }, takes: { fetchTo: '/c' } },
])('$inputs is valid without a dataset', ({ inputs, takes }) => {
  expect(parseInputs(env(inputs))).toMatchObject(takes)
})

describe('refused are', () => {
  it.each([
    { inputs: {}, says: ['project-id: is missing', 'dataset: is missing'] },
    { inputs: { 'project-id': 'abc12345' }, says: ['dataset: is missing'] },
    { inputs: { path: '/b', 'max-age-hours': '0' }, says: ['max-age-hours: "0" is not a whole number'] },
    { inputs: { path: '/b', 'max-age-hours': '1.5' }, says: ['max-age-hours: "1.5" is not a whole number'] },
    { inputs: { path: '/b', level: 'deep' }, says: ['level: "deep" is not one of data, structure'] },
    { inputs: { path: '/b', level: 'structure', 'fetch-to': '/c' }, says: ['fetch-to: needs `level: data`'] },
    { inputs: { path: '/b', branch: 'c' }, says: ['branch: names a second place beside `path`'] },
    { inputs: { path: '/b', dataset: '~live' }, says: ['dataset: "~live" is an alias'] },
    { inputs: { path: '/b', token: 'skSomething' }, says: ['token: is not an input of this action'] },
  ])('$inputs', ({ inputs, says }) => {
    expect(problemsOf(inputs)).toEqual(says.map((each) => expect.stringContaining(each)))
  })
})

it('an environment without a command is that of a backup', () => {
  expect([commandOf({}), commandOf({ INPUT_COMMAND: 'verify' })]).toEqual(['backup', 'verify'])
  expect(declaredInputs({})).not.toContain('command')
})
