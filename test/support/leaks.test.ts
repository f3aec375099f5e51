import { describe, expect, it } from '@jest/globals'
import { findToken } from './leaks.ts'

const token = 'skAbc&def"ghi/jkl+mnop<qrs>tuv'

const forms: readonly (readonly [string, string])[] = [
  ['the token itself', token],
  ['its first twelve characters', token.slice(0, 12)],
  ...[0, 1, 2].map((before) => [`base64 with ${before} bytes before it`, base64(before, 'base64')] as const),
  ...[0, 1, 2].map((before) => [`base64url with ${before} bytes before it`, base64(before, 'base64url')] as const),
  ['base64 of nothing else', Buffer.from(token).toString('base64')],
  ['URI encoding', encodeURIComponent(token)],
  ['URI encoding in lower case', encodeURIComponent(token).replaceAll(/%../g, (code) => code.toLowerCase())],
  ['JSON', JSON.stringify({ token })],
  ['JSON in JSON', JSON.stringify(JSON.stringify({ token }))],
  ['hex', Buffer.from(token).toString('hex')],
  ['hex in upper case', Buffer.from(token).toString('hex').toUpperCase()],
  ['reversed', [...token].reverse().join('')],
  ['HTML', token.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')],
]

describe('findToken', () => {
  it.each(forms)('finds %s', (_, form) => {
    expect(findToken(token, { log: `before ${form} after` })).not.toEqual([])
    expect(findToken(token, { file: Buffer.from(`before ${form} after`) })).not.toEqual([])
  })

  it('finds nothing where nothing is, and does not count the command that masks', () => {
    expect(findToken(token, { log: `::add-mask::${token}\nskAbc and more`, file: Buffer.from('Bearer ***') })).toEqual([])
  })

  it('says where', () => {
    expect(findToken(token, { log: '', summary: token })[0]).toEqual({ where: 'summary', form: 'raw' })
  })
})

function base64(before: number, encoding: 'base64' | 'base64url'): string {
  return Buffer.from(`${'ü'.repeat(before)}x${token}yz`)
    .subarray(before)
    .toString(encoding)
}
