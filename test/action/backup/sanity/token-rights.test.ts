import { describe, expect, it } from '@jest/globals'
import { answers } from '../../../doubles/sanity/answers.ts'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { backUp, readSnapshot, threeDocuments } from '../../support.ts'

describe('the rights of the token', () => {
  const unknown = { fullRead: null, warnings: [] as unknown[], summary: /did not tell/ }

  it.concurrent.each([
    { name: 'of a viewer', answer: undefined, fullRead: true, warnings: [], summary: /✅ complete/ },
    {
      name: 'with the filter in other spacing',
      answer: { status: 200, body: [{ filter: " _id in path('**') ", permissions: ['read'] }] },
      fullRead: true,
      warnings: [],
      summary: /✅ complete/,
    },
    {
      name: 'of a custom role',
      answer: { status: 200, body: [{ filter: '_type in ["post"]', permissions: ['read'] }] },
      fullRead: false,
      warnings: [expect.stringMatching(/Viewer role/)],
      summary: /this token cannot read every document/,
    },
    {
      name: 'without reading',
      answer: { status: 200, body: [{ filter: '_id in path("**")', permissions: ['create'] }] },
      fullRead: false,
      warnings: [expect.stringMatching(/Viewer role/)],
      summary: /this token cannot read every document/,
    },
    {
      name: 'to nothing',
      answer: { status: 200, body: [] },
      fullRead: false,
      warnings: [expect.stringMatching(/Viewer role/)],
      summary: /this token cannot read every document/,
    },
    { name: 'that 401 does not tell', answer: answers.missingGrant, ...unknown },
    { name: 'that 403 does not tell', answer: answers.robotsNotAllowed, ...unknown },
    { name: 'that 404 does not tell', answer: { status: 404 }, ...unknown },
    { name: 'that 500 does not tell', answer: answers.internalError, ...unknown },
    { name: 'that HTML does not tell', answer: { status: 200, body: '<html>' }, ...unknown },
    { name: 'that an object does not tell', answer: { status: 200, body: {} }, ...unknown },
    { name: 'that a redirect does not tell', answer: { status: 302, headers: { location: 'http://127.0.0.1:9/' } }, ...unknown },
  ])('are in the manifest, warned of, and in the summary: those $name', async ({ answer, fullRead, warnings, summary }) => {
    await using sanity = await startSanity({ documents: threeDocuments })
    for (const given of answer ? [answer] : []) sanity.fault('acl', { answer: given })

    await using done = await backUp({ sanity })

    expect((await readSnapshot(done)).manifest.access).toEqual({ fullRead })
    expect(done.warnings).toEqual(warnings)
    expect(done.summary).toMatch(summary)
  })

  it.concurrent('that see only a part are found out by no count', async () => {
    const token = 'skPARTIAL0123456789abcdefghijklmnop'
    await using sanity = await startSanity({ documents: threeDocuments, tokens: { [token]: { filter: '_type == "post"' } } })

    await using done = await backUp({ sanity }, { inputs: { token } })

    expect((await readSnapshot(done)).manifest).toMatchObject({ access: { fullRead: false }, documents: { count: 2, liveCountBefore: 2 } })
    expect(done.warnings).toEqual([expect.stringMatching(/Viewer role/)])
  })
})
