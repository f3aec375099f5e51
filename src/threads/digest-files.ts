import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'

/** A thread that digests files as they lie on disk, one after the other. */

/** The digests that can be asked for. */
export type Algorithm = 'sha256' | 'sha1' | 'md5'

/** How many bytes a file has, and their digests in hexadecimal digits; those that were not asked for are empty. */
export type FileDigests = { readonly bytes: number; readonly digests: Readonly<Record<Algorithm, string>> }

/** A message to the thread. */
export type DigestJob = { readonly id: number; readonly file: string; readonly algorithms: readonly Algorithm[] }

/** Its answer, under the job's id: the digests, or the system's error. */
export type DigestAnswer = { readonly id: number } & (
  | FileDigests
  | { readonly failure: { readonly message: string; readonly code: string | undefined } }
)

const buffer = Buffer.allocUnsafeSlow(256 * 1024)

parentPort?.on('message', (job: DigestJob) => parentPort?.postMessage(answerTo(job)))

function answerTo({ id, file, algorithms }: DigestJob): DigestAnswer {
  try {
    return { id, ...digestFile(file, algorithms) }
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException
    return { id, failure: { message, code } }
  }
}

function digestFile(file: string, algorithms: readonly Algorithm[]): FileDigests {
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
