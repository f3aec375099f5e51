import { describe, expect, it } from '@jest/globals'
import { listen } from '../../../doubles/http.ts'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { backUp, failureOf, readSnapshot, threeDocuments } from '../../support.ts'

describe('hostile text', () => {
  const hostile: readonly string[] = [
    '::error::forged',
    '\n::error::forged',
    '\r\n::set-output name=status::forged',
    '\u2028::error::forged',
    '::stop-commands::forged',
    '::add-mask::e',
    '##[error]forged',
    '##[set-env name=PATH]forged',
    '##vso[task.setvariable]forged',
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '[forged](https://evil.example)',
    '![forged](https://evil.example/x.png)',
    '| forged | row |',
    '```\n# forged',
    '"\n  "forged" : 1000',
    '`code`',
    '@everyone',
    'https://evil.example',
    '\u202eforged\u202c',
    '\u001b[31mforged\u001b[0m\u001b]8;;https://evil.example\u0007',
    '\u0000\u0008\u007f',
    '%0A::error::forged',
    '$(forged)',
    'a'.repeat(10_000),
  ]

  /** Control characters but tab and line feed, marks of direction, line separators. */
  const invisible = /[^\P{Cc}\n\t]|\p{Bidi_Control}|[\u2028\u2029]/u

  /** What the summary must not hold, as it is; the runner's commands are checked for every run. */
  function checkSummary(summary: string): void {
    expect(summary).not.toMatch(/<script|<img|[^\\]\]\(https|(?<!\\)!\[|https:\/\/evil/)
    expect(summary).not.toMatch(invisible)
    expect(summary).not.toMatch(/^# forged|(^|[^&#;\d])@everyone/m)
    expect(summary.match(/^```/gm)?.length ?? 0).toBe(4 * Number(summary.includes('<summary>Restore</summary>')))
  }

  it.concurrent('as types and ids does nothing, and every document counts', async () => {
    const documents = hostile.map((text) => ({ _id: `id ${text}`, _type: text, title: text }))
    await using sanity = await startSanity({ documents })

    await using done = await backUp({ sanity })

    const { manifest, lines } = await readSnapshot(done)
    checkSummary(done.summary)
    const { byType } = manifest.documents
    expect(Object.keys(byType).filter((type) => /^\s*::|##\[|\p{Cc}/u.test(type))).toEqual([])
    expect(Object.values(byType).reduce((sum, count) => sum + count, 0)).toBe(hostile.length)
    expect(lines).toEqual(documents.map((document) => JSON.stringify(document)))
  })

  it.concurrent('as a single type stays inside its row of the table', async () => {
    await Promise.all(
      hostile.slice(9, 17).map(async (text) => {
        await using sanity = await startSanity({ documents: [{ _id: 'x', _type: text }] })
        await using done = await backUp({ sanity })
        checkSummary(done.summary)
        expect(done.summary).toMatch(/\| type \| documents \| \|\n\| --- \| ---: \| --- \|\n\| .+ \| 1 \| █{20} \|\n\n/)
      }),
    )
  })

  it.concurrent.each(['query', 'export'] as const)('in an error of the %s route does nothing', async (route) => {
    await using sanity = await startSanity({ documents: threeDocuments })
    sanity.fault(route, { answer: { status: 403, body: { error: 'Forbidden', message: hostile.slice(0, -1).join(' \n') } } })

    await using done = await backUp({ sanity })

    checkSummary(done.summary)
    expect(failureOf(done)).toMatchObject({
      exitCode: 1,
      code: 'sanity-forbidden',
      message: expect.not.stringMatching(invisible),
    })
    expect(done.log).not.toMatch(invisible)
  })

  it.concurrent('in an error line of the stream does nothing', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })
    sanity.fault('export', { stream: { last: [JSON.stringify({ error: { description: hostile.slice(0, -1).join('\n') } })] } })

    await using done = await backUp({ sanity })

    checkSummary(done.summary)
    expect(failureOf(done)).toMatchObject({ exitCode: 1, code: 'export-rejected' })
    expect(done.log).not.toMatch(invisible)
  })

  const encodings: readonly { readonly name: string; readonly encode: (token: string) => string }[] = [
    { name: 'raw', encode: (token) => token },
    { name: 'base64', encode: (token) => Buffer.from(token).toString('base64') },
    { name: 'base64 behind one character', encode: (token) => Buffer.from(`:${token}`).toString('base64') },
    { name: 'base64 behind two characters', encode: (token) => Buffer.from(`x:${token}`).toString('base64') },
    { name: 'base64url', encode: (token) => Buffer.from(token).toString('base64url') },
    { name: 'hexadecimal', encode: (token) => Buffer.from(token).toString('hex') },
    { name: 'cut off', encode: (token) => `${token.slice(0, 20)}…` },
    { name: 'in a header', encode: (token) => `Authorization: Bearer ${token}` },
    { name: 'split by an invisible character', encode: (token) => `${token.slice(0, 30)}\u200b${token.slice(30)}` },
  ]

  // That it is nowhere is checked for every run.
  it.concurrent.each(encodings)('that echoes the token is told without it: $name', async ({ encode }) => {
    await using sanity = await startSanity({ documents: threeDocuments })
    const echo = encode(sanity.token)
    sanity.fault('query', { answer: { status: 401, body: { error: 'Unauthorized', message: `Bad token ${echo}, said the server` } } })

    await using done = await backUp({ sanity }, { env: { RUNNER_DEBUG: '1' } })

    expect(failureOf(done)).toMatchObject({ exitCode: 1, code: 'sanity-unauthorized', message: expect.stringContaining('Bad token') })
    expect(done.error?.message).toContain('said the server')
  })

  it.concurrent('that echoes the token in an address or a stream is told without it', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })
    const location = `https://login.example/?token=${sanity.token}`
    sanity.fault('query', { times: 1, answer: { status: 503, body: `upstream failed for ${sanity.token}` } })
    sanity.fault('export', { answer: { status: 302, headers: { location } } })

    await using done = await backUp({ sanity })

    expect(failureOf(done)).toMatchObject({ exitCode: 1, message: expect.stringContaining('login.example') })
  })

  it.concurrent('of 10 MB is cut short, at once', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })
    sanity.fault('query', { answer: { status: 403, body: `Blocked ${'x'.repeat(10_000_000)}` } })

    await using done = await backUp({ sanity })

    expect(failureOf(done)).toMatchObject({ exitCode: 1, code: 'sanity-forbidden', message: expect.stringContaining('Blocked') })
    expect(done.stdout.length).toBeLessThan(10_000)
  })

  it.concurrent('that never ends does not keep a failed run waiting', async () => {
    await using server = await listen((_, response) => {
      response.writeHead(403)
      response.write('Blocked')
    })
    await using sanity = await startSanity()

    await using done = await backUp({ sanity }, { inputs: { 'api-host': server.url } })

    expect(failureOf(done)).toMatchObject({ exitCode: 1, code: 'sanity-forbidden' })
  })
})
