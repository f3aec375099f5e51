import { describe, expect, it } from '@jest/globals'
import { parseRunner } from '../src/runner.ts'

describe('what runs the workflow', () => {
  it.each([
    { name: 'nothing is said', env: {}, forge: 'github' },
    { name: 'it is github.com', env: { GITHUB_SERVER_URL: 'https://GitHub.com/' }, forge: 'github' },
    { name: 'it is ghe.com', env: { GITHUB_SERVER_URL: 'https://acme.ghe.com' }, forge: 'github' },
    { name: 'it is a stand-in on this machine', env: { GITHUB_SERVER_URL: 'http://github.localhost:8080' }, forge: 'github' },
    { name: 'GitHub has a host of its own', env: { GITHUB_SERVER_URL: 'https://github.acme.example' }, forge: 'enterprise' },
    { name: 'a host only ends like GitHub', env: { GITHUB_SERVER_URL: 'https://notgithub.com' }, forge: 'enterprise' },
    { name: 'a server is no URL', env: { GITHUB_SERVER_URL: '' }, forge: 'enterprise' },
    { name: 'it is Gitea', env: { GITHUB_SERVER_URL: 'https://git.acme.example', GITEA_ACTIONS: 'true' }, forge: 'gitea' },
    { name: 'it is Forgejo, which says that it is Gitea too', env: { GITEA_ACTIONS: 'true', FORGEJO_ACTIONS: 'true' }, forge: 'forgejo' },
  ])('is $forge when $name', ({ env, forge }) => {
    expect(parseRunner({ GITHUB_ACTIONS: 'true', ...env }).forge).toBe(forge)
  })
})

describe('the job', () => {
  it('is none outside GitHub Actions, and the addresses are those of github.com', () => {
    expect(parseRunner({})).toEqual({
      run: null,
      repository: '',
      apiUrl: 'https://api.github.com',
      serverUrl: 'https://github.com',
      forge: 'github',
      eventPath: undefined,
      hasArtifactService: false,
      temp: '/tmp',
    })
  })

  it.each([
    { attempt: '3', runAttempt: 3 },
    { attempt: 'x', runAttempt: 1 },
    { attempt: undefined, runAttempt: 1 },
  ])('is known by its run; of attempt "$attempt" it is the $runAttempt.', ({ attempt, runAttempt }) => {
    const env = {
      GITHUB_ACTIONS: 'true',
      GITHUB_REPOSITORY: 'acme/site',
      GITHUB_RUN_ID: '42',
      GITHUB_EVENT_NAME: 'schedule',
      GITHUB_SHA: 'abc',
    }
    expect(parseRunner({ ...env, GITHUB_RUN_ATTEMPT: attempt }).run).toEqual({
      repository: 'acme/site',
      runId: '42',
      runAttempt,
      event: 'schedule',
      sha: 'abc',
    })
  })

  it.each([
    { url: 'https://results', token: 'x', has: true },
    { url: 'https://results', token: '', has: false },
    { url: undefined, token: 'x', has: false },
  ])('has an artifact service with the URL "$url" and the token "$token": $has', ({ url, token, has }) => {
    expect(parseRunner({ ACTIONS_RESULTS_URL: url, ACTIONS_RUNTIME_TOKEN: token }).hasArtifactService).toBe(has)
  })
})
