/** A byte source that a test watches. */
export type Source<Item> = {
  readonly items: AsyncGenerator<Item>
  /** How many items were asked for and given. */
  readonly given: () => number
  /** Whether the source was told that nobody wants more of it, or came to its end. */
  readonly closed: () => boolean
}

/** Gives the items one by one, and at the end throws `error` if there is one. */
export function source<Item>(items: Iterable<Item>, error?: Error): Source<Item> {
  let given = 0
  let closed = false
  const generate = async function* () {
    try {
      for (const item of items) {
        given++
        yield item
      }
      if (error) throw error
    } finally {
      closed = true
    }
  }
  return { items: generate(), given: () => given, closed: () => closed }
}

export function chunks(...items: readonly (Buffer | string)[]): AsyncGenerator<Buffer> {
  return source(items.map((item) => Buffer.from(item))).items
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = []
  for await (const item of items) all.push(item)
  return all
}

export async function collectBytes(items: AsyncIterable<Buffer>): Promise<Buffer> {
  return Buffer.concat(await collect(items))
}

/** The bytes in pieces of the given sizes, in turn, until all are used up. */
export function* cut(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let start = 0, turn = 0; start < bytes.length; turn++) {
    const size = Math.max(sizes[turn % sizes.length] ?? 1, turn >= sizes.length ? 1 : 0)
    yield bytes.subarray(start, start + size)
    start += size
  }
}

/** What a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    (value) => {
      throw new Error(`nothing was thrown, and the value is ${JSON.stringify(value)}`)
    },
    (error: unknown) => error,
  )
}
