import { expect, it } from '@jest/globals'
import { streamRange } from '../../../../src/destinations/artifact/read/bytes.ts'
import { listen } from '../../../doubles/http.ts'
import { makeClient } from '../../../support/ask.ts'
import { rejection } from '../../../support/feed.ts'

it('a storage that only drips is not waited for', async () => {
  await using client = makeClient()
  await using server = await listen((_, response) => {
    response.writeHead(206, { 'content-range': 'bytes 0-9999/10000' })
    const timer = setInterval(() => response.write('x'), 10)
    response.on('close', () => clearInterval(timer))
  })
  const github = { apiUrl: server.url, token: '', http: client.http, wait: async () => undefined, signal: new AbortController().signal }
  const zip = { url: new URL(server.url), sizeBytes: 10_000, drip: { windowMs: 240, leastBytes: 5_000 } }
  expect(await rejection(Array.fromAsync(streamRange(zip, { start: 0, end: 10_000 }, github)))).toMatchObject({
    name: 'StorageError',
    message: expect.stringContaining('less than 5000 bytes came in'),
    passing: true,
  })
})
