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
