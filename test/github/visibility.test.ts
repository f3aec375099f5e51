import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { refusePublic } from '../../src/github/visibility.ts'
import { type GithubRest, restAnswers, startGithubRest } from '../doubles/github/github.ts'
import type { Answer } from '../doubles/http.ts'
import { type Client, makeClient } from '../support/ask.ts'
import { rejection } from '../support/feed.ts'
import { makeTempFolder } from '../support/process.ts'

let client: Client

beforeEach(() => {
  client = makeClient()
})

afterEach(async () => await client[Symbol.asyncDispose]())

describe('refusePublic', () => {
  it.each(['private', 'internal'] as const)('lets a repository pass that is %s', async (visibility) => {
    await using github = await startGithubRest({ visibility })
    await expect(refuse(github)).resolves.toBeUndefined()
  })

  it('refuses a public one', async () => {
    await using github = await startGithubRest({ visibility: 'public' })
    expect(await rejection(refuse(github))).toMatchObject({
      code: 'public-repository',
      title: 'The repository is public',
      message: expect.stringContaining('"acme/site"'),
      hint: expect.stringContaining('allow-public: true'),
    })
  })

  it.each([
    { name: 'private alone', body: { private: true }, passes: true },
    { name: 'public alone', body: { private: false }, passes: false },
    { name: 'visibility against private', body: { private: true, visibility: 'public' }, passes: false },
    { name: 'a visibility that nobody knows', body: { visibility: 'secret' }, passes: false },
    { name: 'nothing', body: {}, passes: false },
    { name: 'null', body: 'null', passes: false },
    { name: 'no JSON', body: '<html>', passes: false },
    { name: 'strings instead of truth values', body: { private: 'true' }, passes: false },
  ])('reads an answer that holds $name: passes $passes', async ({ body, passes }) => {
    await using github = await startGithubRest()
    github.fault('repository', { answer: { status: 200, body } })
    expect(
      await refuse(github).then(
        () => true,
        ({ code }: { code: string }) => code !== 'public-repository',
      ),
    ).toBe(passes)
  })

  it.each([
    { name: '401', answer: restAnswers.badCredentials, asks: 1, says: /does not accept `github-token`/ },
    { name: '403', answer: restAnswers.forbidden, asks: 1, says: /The token \(`github-token`\) may not ask/ },
    { name: '404', answer: restAnswers.notFound, asks: 1, says: /Check `repository` letter by letter.*set `github-token`/ },
    { name: '500', answer: restAnswers.serverError, asks: 3, says: /Run the job again/ },
    { name: '429', answer: { status: 429, body: '' }, asks: 3, says: /Run the job again/ },
    {
      name: '301',
      answer: { status: 301, headers: { location: 'https://elsewhere.example' }, body: '' },
      asks: 1,
      says: /renamed.*its new name into `repository`/,
    },
  ] satisfies { name: string; answer: Answer; asks: number; says: RegExp }[])(
    'counts a repository as public after $asks answers of $name',
    async ({ answer, asks, says }) => {
      await using github = await startGithubRest()
      github.fault('repository', { answer })
      expect(await rejection(refuse(github))).toMatchObject({
        code: 'public-repository',
        title: 'The repository may be public',
        message: expect.stringContaining(`GitHub answered ${answer.status}`),
        hint: expect.stringMatching(says),
      })
      expect(github.count('repository')).toBe(asks)
    },
  )

  it('counts it as public when GitHub cannot be reached, after three tries', async () => {
    await using github = await startGithubRest()
    github.fault('repository', { connection: 'reset' })
    expect(await rejection(refuse(github))).toMatchObject({
      code: 'public-repository',
      message: expect.stringContaining('could not be reached'),
    })
    expect(github.count('repository')).toBe(3)
  })

  it('believes the answer that comes after a hiccup', async () => {
    await using github = await startGithubRest()
    github.fault('repository', { answer: restAnswers.serverError, times: 2 })
    await expect(refuse(github)).resolves.toBeUndefined()
  })

  it.each([
    { name: 'private', event: { repository: { private: true } }, says: 'It was private when the event' },
    { name: 'public', event: { repository: { visibility: 'public' } }, says: 'It was public when the event' },
  ])('says what the event told, $name, but does not trust it', async ({ event, says }) => {
    await using temp = await makeTempFolder('event')
    const eventPath = join(temp.path, 'event.json')
    await writeFile(eventPath, JSON.stringify(event))
    await using github = await startGithubRest()
    github.fault('repository', { answer: restAnswers.notFound })
    expect(await rejection(refuse(github, { eventPath }))).toMatchObject({
      code: 'public-repository',
      message: expect.stringContaining(says),
    })
  })

  it.each(['null', '{}', '{"repository":null}', 'no JSON'])('does without an event that says %s', async (event) => {
    await using temp = await makeTempFolder('event')
    const eventPath = join(temp.path, 'event.json')
    await writeFile(eventPath, event)
    await using github = await startGithubRest()
    github.fault('repository', { answer: restAnswers.notFound })
    expect(await rejection(refuse(github, { eventPath }))).toMatchObject({ message: expect.not.stringContaining('It was') })
  })

  it('asks with the token, and without a header when there is none', async () => {
    await using github = await startGithubRest({ visibility: 'public' })
    await rejection(refuse(github))
    await rejection(refuse(github, { token: '' }))
    expect(github.requests.map(({ authorization, path }) => ({ authorization, path }))).toEqual([
      { authorization: 'token ghs_unit', path: '/repos/acme/site' },
      { authorization: undefined, path: '/repos/acme/site' },
    ])
  })

  it('ends with the reason of the signal when the run is cancelled', async () => {
    await using github = await startGithubRest()
    github.fault('repository', { connection: 'hang' })
    const controller = new AbortController()
    const reason = new RangeError('cancelled')
    setTimeout(() => controller.abort(reason), 50)
    expect(await rejection(refuse(github, { signal: controller.signal }))).toBe(reason)
  })
})

type Change = { readonly token?: string; readonly eventPath?: string; readonly signal?: AbortSignal }

async function refuse(
  github: GithubRest,
  { token = 'ghs_unit', eventPath, signal = new AbortController().signal }: Change = {},
): Promise<void> {
  await refusePublic(
    { name: 'acme/site', eventPath },
    { apiUrl: github.url, token, http: client.http, wait: async () => undefined, signal },
  )
}
