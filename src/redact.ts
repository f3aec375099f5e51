import { escapeMarkdown } from './text.ts'

/** Takes secrets out of any text, in whatever form they come back. */

/** A shorter piece of a secret says nothing about it, and masking it would mask ordinary words. */
const shortestPiece = 12

/**
 * A function that takes the given secrets out of a text in every form in which they might come back: raw, base64 at any offset, base64url,
 * percent-encoded, JSON- or XML-escaped, hexadecimal; whole, and cut down to any piece of twelve or more characters. URLs only whole, with and
 * without their scheme: they are made of words that stand in many other places.
 */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const wholes = secrets.flatMap((secret) => [secret, secret.replace(urlScheme, '')]).filter((secret) => secret.length > 0)
  const forms = [...new Set(wholes.flatMap(formsOf))].sort((a, b) => b.length - a.length)
  const pieces = new Set(
    shortestFirst(secrets.filter((secret) => !urlScheme.test(secret)))
      .flatMap(formsOf)
      .flatMap(piecesOf),
  )
  return (text) =>
    maskPieces(
      forms.reduce((rest, form) => rest.replaceAll(form, '***'), text),
      pieces,
    )
}

/** Each character makes some fifty pieces. No secret is as long as this: of what is, only the beginning is known in pieces. */
const mostCharacters = 16_384

/** The secrets, as far as there is room for their pieces: those that can be keys are short. */
function shortestFirst(secrets: readonly string[]): string[] {
  let left = mostCharacters
  return secrets
    .toSorted((a, b) => a.length - b.length)
    .map((secret) => {
      const part = secret.slice(0, left)
      left -= part.length
      return part
    })
}

const urlScheme = /^[a-z]+:\/\//i

/** Whether a text holds a secret, or a piece of it that is long enough to say something about it. */
export function holdsPieceOf(secret: string, text: string): boolean {
  return text.includes(secret) || piecesOf(secret).some((piece) => text.includes(piece))
}

function piecesOf(form: string): string[] {
  return Array.from({ length: Math.max(0, form.length - shortestPiece + 1) }, (_, start) => form.slice(start, start + shortestPiece))
}

/** Pieces that follow or overlap one another are masked as one. */
function maskPieces(text: string, pieces: ReadonlySet<string>): string {
  let masked = ''
  let done = 0
  for (let start = 0; start + shortestPiece <= text.length; start++) {
    if (!pieces.has(text.slice(start, start + shortestPiece))) continue
    let end = start + shortestPiece
    while (end < text.length && pieces.has(text.slice(end - shortestPiece + 1, end + 1))) end++
    masked += `${text.slice(done, start)}***`
    done = end
    start = end - 1
  }
  return masked + text.slice(done)
}

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret)
  const hex = bytes.toString('hex')
  const base64 = [0, 1, 2].flatMap((offset) => {
    // Only the characters that depend on the secret alone, whatever stands before and after it.
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    const first = offset === 0 ? 0 : offset + 1
    const last = encoded.length - ((bytes.length + offset) % 3 === 0 ? 0 : 1)
    const sure = encoded.slice(first, last)
    return [sure, sure.replaceAll('+', '-').replaceAll('/', '_')]
  })
  const uri = encodeURIComponent(secret)
  const each = (form: (code: number) => string): string => [...bytes].map(form).join('')
  const json = JSON.stringify(secret).slice(1, -1)
  return [
    secret,
    ...base64,
    uri,
    uri.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    json,
    hex,
    hex.toUpperCase(),
    escapeXml(secret),
    escapeMarkdown(secret),
    [...secret].reverse().join(''),
    each((code) => `\\u${code.toString(16).padStart(4, '0')}`),
    each((code) => `&#${code};`),
    each((code) => `&#x${code.toString(16)};`),
    each((code) => `%${code.toString(16).padStart(2, '0')}`),
    each((code) => `%${code.toString(16).padStart(2, '0').toUpperCase()}`),
  ].filter((form) => form.length >= 8)
}

function escapeXml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;').replace(/'/g, '&apos;')
}
