import { randomBytes } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { holdsPieceOf, redactor } from '../src/redact.ts'
import { escapeMarkdown } from '../src/text.ts'

describe('redactor', () => {
  const anySecret = fc.stringMatching(/^[\u0021-\u007e]{16,60}$/).filter((secret) => !secret.includes('*') && !secret.includes('://'))
  const around = fc.string({ unit: 'binary', maxLength: 10 })
  const encode = {
    raw: (secret: string) => secret,
    URI: (secret: string) => encodeURIComponent(secret),
    'URI with small hexadecimal digits': (secret: string) =>
      encodeURIComponent(secret).replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    JSON: (secret: string) => JSON.stringify(secret).slice(1, -1),
    hexadecimal: (secret: string) => Buffer.from(secret).toString('hex'),
    Markdown: (secret: string) => escapeMarkdown(secret),
    'JSON, every character escaped': (secret: string) =>
      [...secret].map((each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
    'HTML, every character escaped': (secret: string) => [...secret].map((each) => `&#${each.charCodeAt(0)};`).join(''),
    'URI, every character escaped': (secret: string) => [...secret].map((each) => `%${each.charCodeAt(0).toString(16)}`).join(''),
    'reverse order': (secret: string) => [...secret].reverse().join(''),
    HEXADECIMAL: (secret: string) => Buffer.from(secret).toString('hex').toUpperCase(),
  }

  it.each(Object.entries(encode).map(([name, form]) => ({ name, form })))('leaves nothing of a secret in $name', ({ form }) => {
    fc.assert(
      fc.property(anySecret, around, around, (secret, before, after) => {
        const hidden = redactor([secret])(before + form(secret) + after)
        expect(piecesOf(form(secret), 12).filter((piece) => hidden.includes(piece) && !(before + after).includes(piece))).toEqual([])
      }),
      { numRuns: 1_000 },
    )
  })

  it.each(['base64', 'base64url'] as const)('leaves nothing of a secret in %s, whatever stands before and behind it', (encoding) => {
    fc.assert(
      fc.property(anySecret, fc.uint8Array({ maxLength: 5 }), fc.uint8Array({ maxLength: 5 }), (secret, before, after) => {
        const encoded = Buffer.concat([before, Buffer.from(secret), after]).toString(encoding)
        const hidden = redactor([secret])(`x ${encoded} y`)
        expect(hidden).toContain('***')
        expect(hidden.length).toBeLessThan(8 + 5 + 16 + 4)
      }),
      { numRuns: 5_000 },
    )
  })

  it('holds few pieces of what is too long to be a secret, and all of one beside it', () => {
    const page = randomBytes(48_000).toString('hex')
    const secret = 'skREDACTabcdefghijklmnopqrstuv'
    const before = process.memoryUsage().heapUsed
    const redact = redactor([page, page.toUpperCase(), secret])
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(250_000_000)
    expect(redact(`${page} ${page.slice(0, 200)} ${secret.slice(0, 20)}`)).toBe('*** *** ***')
  })

  it.each([12, 13, 20, 29])('leaves nothing of the first %i characters of a secret', (length) => {
    const secret = 'skREDACTabcdefghijklmnopqrstuv'
    expect(redactor([secret])(`token=${secret.slice(0, length)}, cut`)).toBe('token=***, cut')
  })

  it.each([
    {
      name: 'ordinary words',
      secrets: ['skREDACTabcdefghijklmnop'],
      text: 'The quick brown fox: 12,408 documents (38.2 MB), https://hc-ping.com/other',
    },
    { name: 'fewer than twelve characters of a secret', secrets: ['skREDACTabcdefghijklmnop'], text: 'skREDACTabc is no token' },
    {
      name: 'the address that a secret URL begins with',
      secrets: ['https://hc-ping.com/eb095278-f28d-448d'],
      text: 'https://hc-ping.com/ is fine',
    },
    {
      name: 'the words that a secret URL ends with',
      secrets: ['https://hc-ping.com/AbCdEfGhIjKlMnOpQrStUv/sanity-backup', 'https://hc-ping.com/AbCd/abc12345-production'],
      text: '/home/runner/work/_temp/sanity-backup/abc12345-production-20261125T032251Z/manifest.json',
    },
    { name: 'all text, when there is no secret', secrets: [], text: '***' },
    { name: 'all text, when a secret is empty', secrets: [''], text: 'abc' },
  ])('leaves $name untouched', ({ secrets, text }) => {
    expect(redactor(secrets)(text)).toBe(text)
  })

  it('hides several secrets, one of which begins with another', () => {
    const hide = redactor(['skREDACTabcdefgh', 'skREDACTabcdefghijklmnopqrst', 'ghs_0123456789abcdef'])
    expect(hide('skREDACTabcdefghijklmnopqrst skREDACTabcdefgh ghs_0123456789abcdef')).toBe('*** *** ***')
  })

  it('hides a secret URL with and without its scheme', () => {
    const hide = redactor(['https://hc-ping.com/AbCdEfGhIjKlMnOp/nightly'])
    expect(hide('at https://hc-ping.com/AbCdEfGhIjKlMnOp/nightly, hc-ping.com/AbCdEfGhIjKlMnOp/nightly/fail')).toBe('at ***, ***/fail')
  })

  it('hides a secret as it stands in XML', () => {
    expect(redactor(['sk<REDACT>&"\'abcdefgh'])('<t>sk&lt;REDACT&gt;&amp;&quot;&apos;abcdefgh</t>')).toBe('<t>***</t>')
  })
})

describe('holdsPieceOf', () => {
  const secret = 'skREDACTabcdefghijklmnop'

  it.each([
    { name: 'the whole secret', text: `a ${secret} b`, holds: true },
    { name: 'twelve characters of it', text: `x${secret.slice(4, 16)}y`, holds: true },
    { name: 'eleven characters of it', text: `x${secret.slice(4, 15)}y`, holds: false },
    { name: 'other words', text: 'production', holds: false },
  ])('says of $name: $holds', ({ text, holds }) => {
    expect(holdsPieceOf(secret, text)).toBe(holds)
  })

  it('finds a whole secret that is shorter than a piece', () => {
    expect([holdsPieceOf('sk123456', 'a-sk123456'), holdsPieceOf('sk123456', 'sk12345')]).toEqual([true, false])
  })
})

function piecesOf(text: string, length: number): string[] {
  return Array.from({ length: text.length - length + 1 }, (_, start) => text.slice(start, start + length))
}
