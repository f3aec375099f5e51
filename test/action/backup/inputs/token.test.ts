import { describe, expect, it } from '@jest/globals'
import { failureOf } from '../../support.ts'
import { backUpWith, invalid, otherToken, problemsOf } from './support.ts'

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
