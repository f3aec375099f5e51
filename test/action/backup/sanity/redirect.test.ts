import { describe, expect, it } from '@jest/globals'
import { redirectTo } from '../../../doubles/sanity/answers.ts'
import { startHoneypot } from '../../support.ts'
import { backUpWith, expectFailure, untilExport, untilQuery } from './support.ts'

describe('a redirect', () => {
  it.concurrent.each([
    { status: 301, route: 'query' },
    { status: 302, route: 'query' },
    { status: 302, route: 'export' },
    { status: 303, route: 'export' },
    { status: 307, route: 'export' },
    { status: 308, route: 'query' },
  ] as const)('to another host is not followed: $status on the $route route', async ({ status, route }) => {
    await using elsewhere = await startHoneypot()

    const { run, requests } = await backUpWith(redirectTo(`${elsewhere.url}/v2025-02-19/stolen`, status), route)

    expectFailure(run, {
      name: '',
      answer: { status },
      code: 'sanity-unavailable',
      title: new RegExp(`redirect \\(${status}\\)`),
      fact: /not followed, so that the token cannot reach another host/,
      cure: /api-host/,
    })
    expect(elsewhere.requests).toEqual([])
    expect(requests).toEqual(route === 'query' ? untilQuery(1) : untilExport(1))
  })
})
