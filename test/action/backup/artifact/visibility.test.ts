import { describe, expect, it } from '@jest/globals'
import type { ArtifactRun } from '../../../doubles/artifacts/artifacts.ts'
import { type GithubRest, restAnswers } from '../../../doubles/github/github.ts'
import { failureOf } from '../../support.ts'
import { backUpInRun } from './support.ts'

describe('a repository that others can read', () => {
  const payloadSays = (visibility: string) => ({ repository: { full_name: 'acme/site', private: visibility !== 'public', visibility } })
  const refused = { exitCode: 1, code: 'public-repository' }

  it.concurrent.each([
    { name: 'public', visibility: 'public', payload: 'public' },
    { name: 'public, though private when the event was sent', visibility: 'public', payload: 'private' },
  ] as const)('is refused before anything is fetched: $name', async ({ visibility, payload }) => {
    const { run, exports, stored } = await backUpInRun({ visibility, event: payloadSays(payload) })

    expect(failureOf(run)).toMatchObject({ ...refused, message: expect.stringMatching(/"acme\/site".*Hint: .*allow-public/s) })
    expect({ exports, stored }).toEqual({ exports: 0, stored: [] })
  })

  it.concurrent.each([
    { name: 'private', visibility: 'private', payload: 'private' },
    { name: 'internal', visibility: 'internal', payload: 'internal' },
    { name: 'private, though public when the event was sent', visibility: 'private', payload: 'public' },
  ] as const)('is none when it is $name', async ({ visibility, payload }) => {
    const { run, stored } = await backUpInRun({ visibility, event: payloadSays(payload) })

    expect(run.exitCode).toBe(0)
    expect(stored).toHaveLength(1)
  })

  it.concurrent.each([
    { name: '401', fault: { answer: restAnswers.badCredentials } },
    { name: '403', fault: { answer: restAnswers.forbidden } },
    { name: '403 of the rate limit', fault: { answer: restAnswers.rateLimited } },
    { name: '404', fault: { answer: restAnswers.notFound } },
    { name: '500', fault: { answer: restAnswers.serverError } },
    { name: 'a redirect', fault: { answer: { status: 301, headers: { location: 'http://127.0.0.1:9/' } } } },
    { name: 'no JSON', fault: { answer: { status: 200, body: '<html>' } } },
    { name: 'nothing of the visibility', fault: { answer: { status: 200, body: {} } } },
    { name: 'an unknown visibility', fault: { answer: { status: 200, body: { visibility: 'secret' } } } },
    { name: 'a reset connection', fault: { connection: 'reset' } },
  ] as const)('is refused when its visibility is not known: $name', async ({ fault }) => {
    const { run, exports } = await backUpInRun({ before: (_, github) => github.fault('repository', fault), event: payloadSays('private') })

    expect(failureOf(run)).toMatchObject({
      ...refused,
      message: expect.stringMatching(/could not be found out.*Hint: .*allow-public/s),
    })
    expect(exports).toBe(0)
  })

  it.concurrent.each([
    { name: 'a failure', fault: { answer: restAnswers.serverError, times: 1 } },
    { name: 'a reset connection', fault: { connection: 'reset', times: 2 } },
  ] as const)('is none when its visibility becomes known after $name', async ({ fault }) => {
    const { run } = await backUpInRun({ before: (_, github) => github.fault('repository', fault) })

    expect(run.exitCode).toBe(0)
  })

  it.concurrent.each([
    { name: 'public', visibility: 'public' },
    {
      name: 'unknown',
      visibility: 'private',
      before: (_: ArtifactRun, github: GithubRest) => github.fault('repository', { answer: restAnswers.notFound }),
    },
  ] as const)('gets the snapshot when allow-public is set: $name', async ({ name: _, ...scene }) => {
    const { run, stored } = await backUpInRun({ ...scene, inputs: { 'allow-public': 'true' } })

    expect(run.exitCode).toBe(0)
    expect(stored).toHaveLength(1)
  })

  it.concurrent('may have the snapshot in a folder, and is then not asked for', async () => {
    const asked: number[] = []
    const { run } = await backUpInRun({
      visibility: 'public',
      inputs: { destination: 'directory' },
      before: (_, github) => void asked.push(github.count('repository')),
    })

    expect({ exitCode: run.exitCode, asked }).toEqual({ exitCode: 0, asked: [0] })
  })
})
