import { backslash } from '../../streams/json/json-bytes.ts'

/** Longer numbers are written with an exponent: `1e999999999999` must stay short. */
const longestPlain = 32

const point = 0x2e
const minus = 0x2d
const zero = 0x30
const underscore = 0x5f
const letterR = 0x72

/** Whether the number in a place is spelled as {@link spellNumber} would: most are, and need not be made a string of. */
export function isPlainNumber(line: Buffer, start: number, end: number): boolean {
  if (end - start > longestPlain) return false
  let hasPoint = false
  for (let at = start; at < end; at++) {
    const byte = line[at] as number
    // The letter of an exponent.
    if (byte > 0x39) return false
    if (byte === point) hasPoint = true
  }
  if (line[end - 1] !== zero) return true
  return !hasPoint && (line[start] !== minus || end - start > 2)
}

/**
 * The one spelling that all numbers of the same decimal value have. `text` is a number of JSON. Its digits and its exponent are never multiplied out,
 * so it may have as many of both as it likes.
 */
export function spellNumber(text: string): string {
  const sign = text.startsWith('-') ? '-' : ''
  const [mantissa = '', power = '0'] = text.slice(sign.length).toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  const all = whole + fraction
  const first = countZeros(all)
  if (first === all.length) return '0'
  const last = endOfDigits(all)
  // The value is 0.DIGITS × 10^exponent.
  const digits = all.slice(first, last)
  const exponent = BigInt(power.replace('+', '')) + BigInt(whole.length - first)
  return sign + (findPlain(digits, exponent, longestPlain - sign.length) ?? `${digits}e${exponent}`)
}

/** The number without an exponent; undefined if that takes too many characters. */
function findPlain(digits: string, bigExponent: bigint, most: number): string | undefined {
  if (digits.length > most || bigExponent > longestPlain || bigExponent < -longestPlain) return undefined
  const exponent = Number(bigExponent)
  const plain = exponent <= 0 ? `0.${'0'.repeat(-exponent)}${digits}` : digits.padEnd(exponent, '0')
  const text = exponent > 0 && exponent < digits.length ? `${plain.slice(0, exponent)}.${plain.slice(exponent)}` : plain
  return text.length > most ? undefined : text
}

function countZeros(digits: string): number {
  let count = 0
  while (digits.charCodeAt(count) === zero) count++
  return count
}

/** What is behind the last digit that is no zero. A pattern such as `/0+$/` tries each zero anew, and takes minutes for a long number. */
function endOfDigits(digits: string): number {
  let end = digits.length
  while (digits.charCodeAt(end - 1) === zero) end--
  return end
}

/** The text of the string that stands in a place, quotes included. Half of a surrogate pair stays what it is. */
export function textOf(line: Buffer, start: number, end: number): string {
  const inner = line.toString('utf8', start + 1, end - 1)
  return inner.includes('\\') ? (JSON.parse(`"${inner}"`) as string) : inner
}

const refKey = Buffer.from('"_ref"')
const longestRefKey = '"\\u005f\\u0072\\u0065\\u0066"'.length

/** Whether the string that stands in a place is `_ref`, however it is spelled. Asked of all keys: nearly all are told by two or three bytes. */
export function isRefKey(line: Buffer, start: number, end: number): boolean {
  const first = line[start + 1]
  if (first !== underscore && first !== backslash) return false
  if (end - start === refKey.length) return line[start + 2] === letterR && textOf(line, start, end) === '_ref'
  // Each escape makes it longer by five.
  return end - start <= longestRefKey && (end - start - refKey.length) % 5 === 0 && textOf(line, start, end) === '_ref'
}
