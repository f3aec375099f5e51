export type Leak = { readonly where: string; readonly form: string }

/** Prefixes as long as this give a token away to whoever may try the rest. */
const PREFIX_CHARACTERS = 12

/** Looks for a token in each text, in every form in which programs print secrets; `::add-mask::` lines, which the runner swallows, do not count. */
export function findToken(token: string, texts: Readonly<Record<string, string | Buffer>>): Leak[] {
  const forms = Object.entries(formsOf(token))
  return Object.entries(texts).flatMap(([where, text]) => {
    const searched = typeof text === 'string' ? text.replaceAll(/^::add-mask::.*$/gm, '') : text
    return forms.filter(([, form]) => searched.includes(form)).map(([form]) => ({ where, form }))
  })
}

function formsOf(token: string): Record<string, string> {
  const bytes = Buffer.from(token)
  const numeric = (characters: string) => characters.replaceAll(/./gsu, (character) => `&#${character.codePointAt(0)};`)
  const json = JSON.stringify(token).slice(1, -1)
  const uri = percentEncoded(token)
  return {
    raw: token,
    'base64, padded': bytes.toString('base64'),
    'base64, not padded': unpadded(bytes.toString('base64')),
    'base64, offset 0': base64Within(bytes, 0),
    'base64, offset 1': base64Within(bytes, 1),
    'base64, offset 2': base64Within(bytes, 2),
    'base64url, offset 0': toBase64url(base64Within(bytes, 0)),
    'base64url, offset 1': toBase64url(base64Within(bytes, 1)),
    'base64url, offset 2': toBase64url(base64Within(bytes, 2)),
    'URI, upper case': uri,
    'URI, lower case': uri.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    JSON: json,
    'JSON in JSON': JSON.stringify(json).slice(1, -1),
    'JSON, unicode': [...token].map((character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
    'hex, lower case': bytes.toString('hex'),
    'hex, upper case': bytes.toString('hex').toUpperCase(),
    reversed: [...token].reverse().join(''),
    'HTML, all numeric': numeric(token),
    'HTML, special characters numeric': token.replaceAll(/[^A-Za-z0-9]/g, numeric),
    'HTML, named': token.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
    prefix: token.slice(0, PREFIX_CHARACTERS),
  }
}

/** The characters of the base64 of any text that holds the token with so many bytes (modulo 3) before it: edges, which depend on neighbours, left out. */
function base64Within(bytes: Buffer, offset: number): string {
  const before = Buffer.alloc(offset)
  const encoded = unpadded(Buffer.concat([before, bytes]).toString('base64'))
  const rest = (offset + bytes.length) % 3
  return encoded.slice(offset === 0 ? 0 : offset + 1, rest === 0 ? undefined : -1)
}

const toBase64url = (text: string): string => text.replaceAll('+', '-').replaceAll('/', '_')

const unpadded = (text: string): string => text.replace(/=+$/, '')

function percentEncoded(token: string): string {
  return [...token].map((character) => (/[A-Za-z0-9_.~-]/.test(character) ? character : encodeURIComponent(character))).join('')
}
