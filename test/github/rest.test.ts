import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { askGithub, type GithubAnswer, ownerAndRepo } from '../../src/github/rest.ts'
import { restAnswers, startGithubRest } from '../doubles/github/github.ts'
import type { Answer } from '../doubles/http.ts'
import { type Client, makeClient } from '../support/ask.ts'

let client: Client

beforeEach(() => {
  client = makeClient()
})

afterEach(async () => {
  jest.restoreAllMocks()
  await client[Symbol.asyncDispose]()
})

async function askFor(apiUrl: string): Promise<GithubAnswer> {
  const { signal } = new AbortController()
  const github = { apiUrl, token: 'ghs_unit', http: client.http, wait: async () => undefined, signal }
  return await askGithub(github, ({ repos }) => repos.get(ownerAndRepo('acme/site')))
}

describe('askGithub', () => {
  it.each([
    { name: 'a 404', answer: restAnswers.notFound, gives: { status: 404, limited: false } },
    { name: 'a rate limit', answer: restAnswers.rateLimited, gives: { status: 403, limited: true } },
    {
      name: 'a redirect, which it does not follow',
      answer: { status: 302, headers: { location: 'https://elsewhere.example/zip' }, body: '' },
      gives: { status: 302, location: 'https://elsewhere.example/zip' },
    },
  ] satisfies { name: string; answer: Answer; gives: GithubAnswer }[])('gives $name as a value', async ({ answer, gives }) => {
    await using github = await startGithubRest()
    github.fault('repository', { answer })
    expect(await askFor(github.url)).toMatchObject(gives)
    expect(github.count('repository')).toBe(1)
  })

  it('asks below the path that a server of one’s own has its API at', async () => {
    await using github = await startGithubRest()
    await askFor(`${github.url}/api/v3`)
    expect(github.requests[0]?.path).toBe('/api/v3/repos/acme/site')
  })

  it('lets nothing that GitHub says of itself into the log', async () => {
    await using github = await startGithubRest()
    const headers = { deprecation: 'true', sunset: '::set-env name=a::b', link: '<https://elsewhere.example>; rel="deprecation"' }
    github.fault('repository', { answer: { status: 200, headers, body: { private: true } } })
    const written = [jest.spyOn(console, 'warn'), jest.spyOn(console, 'log')].map((spy) => spy.mockReturnValue())
    expect(await askFor(github.url)).toMatchObject({ status: 200, value: { private: true } })
    for (const spy of written) expect(spy).not.toHaveBeenCalled()
  })
})
