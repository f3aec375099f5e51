import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'

export type Algorithm = 'sha256' | 'sha1' | 'md5'

/** How many bytes a file has, and their digests in hexadecimal digits. */
export type FileDigests = { readonly bytes: number; readonly digests: Readonly<Record<Algorithm, string>> }

type Job = { readonly id: number; readonly file: string; readonly algorithms: readonly Algorithm[] }
type Answer = { readonly id: number } & (
  | FileDigests
  | { readonly failure: { readonly message: string; readonly code: string | undefined } }
)
type Waiting = { readonly resolve: (digests: FileDigests) => void; readonly reject: (error: unknown) => void }
type Thread = { readonly worker: Worker; readonly waiting: Map<number, Waiting> }

/** Two digest faster than files come, and each takes some memory. */
const mostThreads = Math.min(2, availableParallelism())
const threads = new Set<Thread>()
let jobs = 0

/**
 * Reads a file as it lies on disk and digests it, in a thread of its own, so that this one has its time for what comes in. The digests of other
 * algorithms than those asked for are empty. Throws what reading it throws, and the signal's reason.
 */
export async function digestFile(file: string, algorithms: readonly Algorithm[], signal: AbortSignal): Promise<FileDigests> {
  signal.throwIfAborted()
  const { worker, waiting } = freeThread()
  const id = ++jobs
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  const digested = new Promise<FileDigests>((resolve, reject) => waiting.set(id, { resolve, reject }))
  worker.ref()
  worker.postMessage({ id, file, algorithms } satisfies Job)
  try {
    return await Promise.race([digested, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
    settle({ worker, waiting }, id)
  }
}

/** Nobody waits for a job any more. A thread that is at work keeps this process from ending only while somebody waits for it. */
function settle({ worker, waiting }: Thread, id: number): void {
  waiting.delete(id)
  if (waiting.size === 0) worker.unref()
}

/** One that has nothing to do; if all are at work and no more may be started, the one with the least to do. */
function freeThread(): Thread {
  const [least] = [...threads].sort((a, b) => a.waiting.size - b.waiting.size)
  if (least && (least.waiting.size === 0 || threads.size === mostThreads)) return least
  return startThread()
}

function startThread(): Thread {
  // As text, so that the bundle is one file. Nothing of this process's surroundings is its business.
  const worker = new Worker(`(${digestingThread})()`, { eval: true, execArgv: [], env: {}, resourceLimits })
  const waiting = new Map<number, Waiting>()
  const thread = { worker, waiting }
  worker.on('message', ({ id, ...answer }: Answer) => {
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

const resourceLimits = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 2 }

/** The thread's program. It is sent there as text: it can use nothing from outside itself. */
function digestingThread(): void {
  const { openSync, readSync, closeSync } = process.getBuiltinModule('node:fs')
  const { createHash } = process.getBuiltinModule('node:crypto')
  const { parentPort } = process.getBuiltinModule('node:worker_threads')
  const buffer = Buffer.allocUnsafeSlow(256 * 1024)

  const digest = ({ file, algorithms }: Job): FileDigests => {
    const hashes = algorithms.map((algorithm) => ({ algorithm, hash: createHash(algorithm) }))
    const descriptor = openSync(file, 'r')
    let bytes = 0
    try {
      for (;;) {
        const read = buffer.subarray(0, readSync(descriptor, buffer))
        if (read.length === 0) break
        for (const { hash } of hashes) hash.update(read)
        bytes += read.length
      }
    } finally {
      closeSync(descriptor)
    }
    const digests = { sha256: '', sha1: '', md5: '' }
    for (const { algorithm, hash } of hashes) digests[algorithm] = hash.digest('hex')
    return { bytes, digests }
  }

  parentPort?.on('message', (job: Job) => {
    try {
      parentPort.postMessage({ id: job.id, ...digest(job) })
    } catch (error) {
      const { message, code } = error as NodeJS.ErrnoException
      parentPort.postMessage({ id: job.id, failure: { message, code } })
    }
  })
}
