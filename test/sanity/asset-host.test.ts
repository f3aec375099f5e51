import { describe, expect, it } from '@jest/globals'
import { type AssetAnswer, assetAddress, assetHost } from '../../src/sanity/asset-host.ts'
import { type Handler, listen, type RecordedRequest, recordRequest } from '../doubles/http.ts'
import { makeClient, sourceAt, token } from '../support/ask.ts'
import { collectBytes } from '../support/feed.ts'

const cdn = 'https://cdn.sanity.io/images/abc12345/production/a-1x1.png'
const path = 'images/abc12345/production/a-1x1.png'

describe('assetAddress', () => {
  it.each([
    { name: 'its url on Sanity’s CDN', url: cdn, path: 'x', is: cdn },
    { name: 'the CDN and its path when its url leads elsewhere', url: 'https://img.example.com/a.png', path, is: cdn },
    { name: 'the CDN and its path when it has no url', url: undefined, path, is: cdn },
    {
      name: 'the url as it is when the path is none',
      url: 'https://img.example.com/a.png',
      path: '../a',
      is: 'https://img.example.com/a.png',
    },
    { name: 'the CDN and its path when a user stands in the url', url: cdn.replace('//', '//user@'), path, is: cdn },
    { name: 'the CDN and its path for a blob', url: `blob:${cdn}`, path, is: cdn },
    { name: 'nothing without both', url: 7, path: {}, is: '' },
  ])('is $name', ({ url, path: given, is }) => {
    expect(assetAddress(sourceAt('https://api.sanity.io'), { url, path: given })).toBe(is)
  })
})

describe('an asset host', () => {
  it.each([
    { kind: 'image', query: { dlRaw: 'true' }, authorization: `Bearer ${token}` },
    { kind: 'file', query: {}, authorization: undefined },
  ] as const)('is asked for a file of kind $kind with the token only if that needs it', async ({ kind, query, authorization }) => {
    const requests: RecordedRequest[] = []
    await ask(kind, (request, response, url) => {
      requests.push(recordRequest(request, url))
      response.end()
    })
    expect(requests).toMatchObject([{ path: '/a.png', query, headers: { 'accept-encoding': 'identity' } }])
    expect(requests[0]?.authorization).toBe(authorization)
  })

  it('gives the bytes, and what it claims of them in lower case', async () => {
    const { answer, bytes } = await ask(
      'file',
      (_, response) => void response.writeHead(200, { 'x-sanity-sha1': 'ABC', 'x-sanity-md5': '?' }).end('x'),
    )
    expect([answer, bytes?.toString()]).toEqual([expect.objectContaining({ kind: 'found', claims: { sha1: 'abc', md5: undefined } }), 'x'])
  })

  it.each([
    { status: 404, is: { kind: 'refused', lack: 'file' } },
    { status: 410, is: { kind: 'refused', lack: 'file' } },
    { status: 401, is: { kind: 'refused', lack: 'right' } },
    { status: 403, is: { kind: 'refused', lack: 'right' } },
    { status: 301, is: { kind: 'refused', lack: 'answer' } },
    { status: 429, is: { kind: 'failed', error: { code: 'sanity-rate-limited' } } },
    { status: 503, is: { kind: 'failed', error: { code: 'sanity-unavailable' } } },
  ])('that answers $status: $is.kind', async ({ status, is }) => {
    expect((await ask('file', (_, response) => void response.writeHead(status).end())).answer).toMatchObject({ status, ...is })
  })

  it('is never asked at an address that is not Sanity’s', async () => {
    const http = async () => {
      throw new Error('sent')
    }
    const host = assetHost(sourceAt('https://api.sanity.io'), { http, token, userAgent: 'x', signal: new AbortController().signal })
    expect(await host.ask({ kind: 'image', url: 'https://img.example.com/a.png' }, 'GET')).toMatchObject({
      kind: 'refused',
      lack: 'address',
    })
  })
})

/** Asks a host that answers like that, and reads what it gives. */
async function ask(kind: 'image' | 'file', handler: Handler): Promise<{ answer: AssetAnswer; bytes: Buffer | undefined }> {
  await using server = await listen(handler)
  await using client = makeClient()
  const host = assetHost(sourceAt(server.url), { http: client.http, token, userAgent: 'x', signal: new AbortController().signal })
  const answer = await host.ask({ kind, url: `${server.url}/a.png` }, 'GET')
  return { answer, bytes: answer.kind === 'found' ? await collectBytes(answer.body) : undefined }
}
