/** Reads a file that lies elsewhere from its front to its end, as one stream. What is asked for must come one after the other. */
export type ForwardReader = {
  /** The place that was reached. */
  readonly at: () => number
  readonly skipTo: (place: number) => Promise<void>
  /** A few bytes. */
  readonly take: (bytes: number) => Promise<Buffer>
  /** So many bytes as they come. May be left early; nothing else may be asked for before it has ended. */
  readonly stream: (bytes: number) => AsyncGenerator<Buffer>
  readonly close: () => Promise<void>
}

/** Over so many bytes it is quicker to ask anew than to read on. */
const longestSkip = 4 * 1024 * 1024

/** Makes a {@link ForwardReader}. `open` gives the bytes from a place on. */
export function forwardReader(open: (start: number) => AsyncGenerator<Buffer>, start: number): ForwardReader {
  let source = open(start)
  let rest: Buffer = Buffer.alloc(0)
  let at = start

  /** At most so many bytes, and at least one. */
  async function next(most: number): Promise<Buffer> {
    while (rest.length === 0) {
      const { done, value } = await source.next()
      if (done) throw new Error('the zip is damaged')
      rest = value
    }
    const part = rest.subarray(0, most)
    rest = rest.subarray(part.length)
    at += part.length
    return part
  }

  async function* stream(bytes: number): AsyncGenerator<Buffer> {
    for (let left = bytes; left > 0; ) {
      const part = await next(left)
      left -= part.length
      yield part
    }
  }

  return {
    at: () => at,
    skipTo: async (place) => {
      if (place < at) throw new Error('the zip is damaged')
      if (place - at - rest.length > longestSkip) {
        await source.return(undefined)
        source = open(place)
        rest = Buffer.alloc(0)
        at = place
      }
      for await (const _ of stream(place - at));
    },
    take: async (bytes) => Buffer.concat(await Array.fromAsync(stream(bytes))),
    stream,
    close: async () => void (await source.return(undefined)),
  }
}
