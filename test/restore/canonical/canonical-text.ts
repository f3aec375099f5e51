import type { CanonicalOptions } from '../../../src/restore/canonical/normal.ts'

/** A number as it is written. */
class Decimal {
  readonly source: string

  constructor(source: string) {
    this.source = source
  }
}

/** What a document is, as a text that does not depend on how it is spelled: by the parser and by recursion, and with no thought of speed. */
export function canonicalText(text: string, { without, references = new Map() }: CanonicalOptions = { without: new Set() }): string {
  const keepSource = (_key: string, value: unknown, { source }: { source?: string }) =>
    typeof value === 'number' ? new Decimal(source as string) : value
  const document = JSON.parse(text, keepSource as (key: string, value: unknown) => unknown) as unknown
  return textOf(document, { without, references })
}

function textOf(value: unknown, options: Required<CanonicalOptions>): string {
  if (value instanceof Decimal) return decimalText(value.source)
  if (Array.isArray(value)) return `[${value.map((item) => textOf(item, { ...options, without: new Set() })).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value)
    .filter(([key]) => !options.without.has(key))
    .map(([key, item]) => {
      const other = key === '_ref' && typeof item === 'string' ? (options.references.get(item) ?? item) : item
      return `${JSON.stringify(key)}:${textOf(other, { ...options, without: new Set() })}`
    })
  return `{${members.sort().join(',')}}`
}

function decimalText(source: string): string {
  const [, sign, whole = '', fraction = '', power = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]\+?(-?\d+))?$/.exec(source) ?? []
  let digits = BigInt(whole + fraction)
  let exponent = BigInt(power) - BigInt(fraction.length)
  if (digits === 0n) return '0'
  while (digits % 10n === 0n) {
    digits /= 10n
    exponent++
  }
  return `${sign}${digits}e${exponent}`
}
