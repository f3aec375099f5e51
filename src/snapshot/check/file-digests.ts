import { availableParallelism } from 'node:os'
import type { Worker } from 'node:worker_threads'
import { unlessAborted } from '../../streams/abort.ts'
import type { Algorithm, DigestAnswer, DigestJob, FileDigests } from '../../threads/digest-files.ts'
import { startThread } from '../../threads/start.ts'

type Waiting = { readonly resolve: (digests: FileDigests) => void; readonly reject: (error: unknown) => void }
type Thread = { readonly worker: Worker; readonly waiting: Map<number, Waiting> }

/** Two digest faster than files come, and each takes some memory. */
const mostThreads = Math.min(2, availableParallelism())
const threads = new Set<Thread>()
let jobs = 0

/**
 * Reads a file as it lies on disk and digests it in another thread, so that this one stays free for what comes in. Throws what reading the file
 * throws, and the signal's reason.
 */
export async function digestFile(file: string, algorithms: readonly Algorithm[], signal: AbortSignal): Promise<FileDigests> {
  signal.throwIfAborted()
  const { worker, waiting } = freeThread()
  const id = ++jobs
  const digested = new Promise<FileDigests>((resolve, reject) => waiting.set(id, { resolve, reject }))
  worker.ref()
  worker.postMessage({ id, file, algorithms } satisfies DigestJob)
  try {
    return await unlessAborted(digested, signal)
  } finally {
    waiting.delete(id)
    // A thread at work keeps this process from ending only while its answer is awaited.
    if (waiting.size === 0) worker.unref()
  }
}

/** One that has nothing to do; if all are at work and no more may be started, the one with the least to do. */
function freeThread(): Thread {
  const [least] = [...threads].sort((a, b) => a.waiting.size - b.waiting.size)
  if (least && (least.waiting.size === 0 || threads.size === mostThreads)) return least
  return addThread()
}

function addThread(): Thread {
  const worker = startThread('digest-files')
  const waiting = new Map<number, Waiting>()
  const thread = { worker, waiting }
  worker.on('message', ({ id, ...answer }: DigestAnswer) => {
    const job = waiting.get(id)
    if ('failure' in answer) job?.reject(Object.assign(new Error(answer.failure.message), { code: answer.failure.code }))
    else job?.resolve(answer)
  })
  const fail = (error: unknown) => {
    threads.delete(thread)
    for (const { reject } of waiting.values()) reject(error)
  }
  worker.on('error', fail)
  worker.on('exit', () => fail(new Error('the thread that digests files has ended')))
  threads.add(thread)
  return thread
}
