/** What Node has and the types of ES2024 lack: numbers that keep their digits. */
const json = JSON as unknown as {
  rawJSON(text: string): object
  isRawJSON(value: unknown): value is { readonly rawJSON: string }
  parse(text: string, reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown
}

/** Only a number this long, or one with an exponent, can lose something on its way through a double. */
const WIDE_NUMBER = /[:,[]\s*-?(?:\d[\d.]{14}|[\d.]+[eE])/

/**
 * Parses JSON so that it can be printed again without a lost digit. INFERRED: what an export printed, the server stores again; that it reads
 * 64-bit integers is documented (sanity.io docs, GROQ data types).
 */
export function parseExactly(text: string): unknown {
  if (!WIDE_NUMBER.test(text)) return JSON.parse(text)
  return json.parse(text, (_, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source ? json.rawJSON(source) : value,
  )
}

export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  return json.isRawJSON(value) ? Number(value.rawJSON) : undefined
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !json.isRawJSON(value)

/** A copy that may be changed; `structuredClone` would lose the exact numbers. */
export function copyOf<T>(value: T): T
export function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => copyOf(item))
  if (!isRecord(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copyOf(item)]))
}

/** Exports seen in public repositories have their keys in alphabetical order at every depth. The same object if they are already. */
export function sortKeys<T>(value: T): T
export function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => sortKeys(item))
    return items.every((item, position) => item === value[position]) ? value : items
  }
  if (!isRecord(value)) return value
  const keys = Object.keys(value)
  const entries = keys.map((key) => [key, sortKeys(value[key])] as const)
  const sorted = keys.every((key, position) => position === 0 || (keys[position - 1] ?? '') < key)
  if (sorted && entries.every(([key, item]) => item === value[key])) return value
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}

export function listIn(body: unknown, key: string): unknown[] {
  const value = isRecord(body) ? body[key] : undefined
  return Array.isArray(value) ? value : []
}

export function recordIn(body: unknown, key: string): Record<string, unknown> {
  const value = isRecord(body) ? body[key] : undefined
  return isRecord(value) ? value : {}
}

export function textIn(body: unknown, key: string): string | undefined {
  const value = isRecord(body) ? body[key] : undefined
  return typeof value === 'string' ? value : undefined
}
