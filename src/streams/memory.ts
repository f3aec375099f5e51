import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Frees the memory of buffers that have been used up. It lies outside the heap of V8, which by itself lets some 64 MB of them wait (v8
 * src/heap/heap.h, external memory limit); used again at once, it also stays in the processor's caches. docs/performance.md says what this earns.
 */

type Collector = (options: { readonly type: 'minor' | 'major' }) => void

/** So many bytes may come before those that were used up are looked for. */
const bytesBetween = 4 * 1024 * 1024
/** Every so many times all of the heap is searched, not only what is new: a few buffers grow old each time. */
const timesBetween = 128
/** Longer lines are rare, and leave much behind. */
const longLineBytes = 4 * 1024 * 1024

/** Of the whole process, which has one heap. Without a collector, nothing is freed early. */
const state: { collect: Collector | undefined; bytesSince: number; times: number } = { collect: undefined, bytesSince: 0, times: 0 }

/** Lets this process collect its garbage when it chooses, for {@link freeing}. Sets flags of V8: for `main.ts` alone, once. */
export function allowFreeing(): void {
  // The space for new objects is emptied so often that it need not grow. It never shrinks again.
  setFlagsFromString('--semi-space-growth-factor=1')
  // There is little to free at a time: waking other threads for it costs more than it saves.
  setFlagsFromString('--no-parallel-scavenge')
  setFlagsFromString('--no-concurrent-array-buffer-sweeping')
  // Contexts made from here on have the function (v8 src/flags/flag-definitions.h).
  setFlagsFromString('--expose-gc')
  const found: unknown = runInNewContext('globalThis.gc')
  state.collect = typeof found === 'function' ? (found as Collector) : undefined
}

/** Lets chunks through, and every few megabytes frees those that are no longer used. One such link stands in each chain of chunks. */
export async function* freeing(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    freeAfter(chunk.length)
    yield chunk
  }
}

/** Lets lines through, and after each very long one frees all that is no longer used: its pieces, and itself, have grown old while it came. */
export async function* freeingLongLines(batches: AsyncIterable<readonly Buffer[]>): AsyncGenerator<readonly Buffer[]> {
  for await (const lines of batches) {
    yield lines
    if (lines.some(({ length }) => length > longLineBytes)) state.collect?.({ type: 'major' })
  }
}

function freeAfter(bytes: number): void {
  state.bytesSince += bytes
  if (state.bytesSince < bytesBetween) return
  state.bytesSince = 0
  state.times = (state.times + 1) % timesBetween
  state.collect?.({ type: state.times === 0 ? 'major' : 'minor' })
}
