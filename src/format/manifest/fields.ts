/** Readers of values that came as JSON: each gives a checked value, built anew, or throws an error whose message, if it has one, says what is wrong. */
export type Reader<Value> = (value: unknown) => Value

/** A value that is not what it should be. */
class WrongFieldError extends Error {}

type Read<Readers> = { readonly [Key in keyof Readers]: Readers[Key] extends Reader<infer Value> ? Value : never }

/** Any value that the test accepts. */
export function that<Value>(test: (value: unknown) => value is Value): Reader<Value> {
  return (value) => {
    if (test(value)) return value
    throw new WrongFieldError()
  }
}

export const text = that((value): value is string => typeof value === 'string')
export const truth = that((value): value is boolean => typeof value === 'boolean')
/** A whole number, not negative. */
export const count = that((value): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0)
/** A time as manifests hold it: ISO 8601 in UTC. What Date reads beside that depends on where it runs, and may hold any words. */
export const time = that((value): value is string => typeof value === 'string' && isTime(value))

function isTime(value: string): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(value)) return false
  const ms = Date.parse(value)
  // The 31st of February would be a day of March.
  return !Number.isNaN(ms) && new Date(ms).toISOString().slice(0, 19) === value.slice(0, 19)
}

/** One of some strings or numbers. */
export function oneOf<const Value extends string | number>(...values: readonly Value[]): Reader<Value> {
  return that((value): value is Value => values.some((each) => each === value))
}

/** What the reader reads, or null. */
export function orNull<Value>(read: Reader<Value>): Reader<Value | null> {
  return (value) => (value === null ? null : read(value))
}

/** What the first of two readers reads, or else the second. */
export function either<One, Other>(one: Reader<One>, other: Reader<Other>): Reader<One | Other> {
  return (value) => {
    try {
      return one(value)
    } catch {
      return other(value)
    }
  }
}

/** A list of what the reader reads. */
export function listOf<Value>(read: Reader<Value>): Reader<readonly Value[]> {
  return (value) => {
    if (!Array.isArray(value)) throw new WrongFieldError()
    return value.map(read)
  }
}

/** An object with any keys, each with what the reader reads. */
export function mapOf<Value>(read: Reader<Value>): Reader<Readonly<Record<string, Value>>> {
  return (value) => Object.fromEntries(Object.entries(object(value)).map(([key, inner]) => [key, read(inner)]))
}

/** An object: the keys of `needed` must be there, the others may be, any more are left out. They keep their order. */
export function record<Needed extends Record<string, Reader<unknown>>, Others extends Record<string, Reader<unknown>>>(
  needed: Needed,
  others: Others,
): Reader<Read<Needed> & Partial<Read<Others>>> {
  const readers: Record<string, Reader<unknown>> = { ...others, ...needed }
  return (value) => {
    const fields = object(value)
    const lacking = Object.keys(needed).filter((key) => !Object.hasOwn(fields, key))
    const known = Object.keys(fields).filter((key) => Object.hasOwn(readers, key))
    // A needed key that is not there is read too: its reader knows what to say of that, or what to put in its place.
    const entries = [...known, ...lacking].map((key) => [key, readers[key]?.(fields[key])])
    // What each reader gives is of the type that stands for it in the record.
    return Object.fromEntries(entries) as Read<Needed> & Partial<Read<Others>>
  }
}

/** The same, with other words for what is wrong. */
export function saying<Value>(why: string, read: Reader<Value>): Reader<Value> {
  return (value) => {
    try {
      return read(value)
    } catch (error) {
      throw error instanceof WrongFieldError && error.message !== '' ? error : new WrongFieldError(why)
    }
  }
}

function object(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new WrongFieldError()
}
