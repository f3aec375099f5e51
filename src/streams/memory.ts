import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** So many bytes may come before those that were used up are looked for. */
const bytesBetween = 4 * 1024 * 1024
/** Once in so many times all are looked for, also among what had been in use the times before: a few grow old each time. */
const timesBetween = 128

let bytesSince = 0
let times = 0
let collect: ((options: { readonly type: 'minor' | 'major' }) => void) | undefined

/**
 * Is told of the bytes of each buffer that has come, and now and then frees those that nobody uses any more. Their memory lies outside the heap of
 * V8, which by itself lets some 64 MB of them wait (v8 src/heap/heap.h, external memory limit); used again at once, it also stays in the
 * processor's caches.
 */
export function countBytes(bytes: number): void {
  bytesSince += bytes
  if (bytesSince < bytesBetween) return
  bytesSince = 0
  times = (times + 1) % timesBetween
  collect ??= findCollector()
  collect({ type: times === 0 ? 'major' : 'minor' })
}

/** Frees all that nobody uses any more, also what was used for long; that takes some milliseconds. */
export function freeAll(): void {
  collect ??= findCollector()
  collect({ type: 'major' })
}

/** V8 gives it to programs that ask by a flag; a context that is made afterwards has it (v8 src/flags/flag-definitions.h). */
function findCollector(): NonNullable<typeof collect> {
  // The room for new objects is emptied so often that it need not grow. What it once has it keeps.
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--expose-gc')
  // There is little to free at a time: to wake other threads for it costs more than it saves.
  setFlagsFromString('--no-parallel-scavenge')
  setFlagsFromString('--no-concurrent-array-buffer-sweeping')
  const found: unknown = runInNewContext('globalThis.gc')
  return typeof found === 'function' ? (found as NonNullable<typeof collect>) : () => undefined
}
