import { BackupError } from '../../errors.ts'
import type { SanityApi } from '../api.ts'
import { cutWrite, notAnAnswer } from '../errors/write.ts'
import { parseRecord, problemsOf, recordIn, textIn } from './problems.ts'
import { refusalOf } from './refused.ts'
import { tag } from './tag.ts'

/** The file of an asset, to be uploaded. */
export type UploadFile = {
  readonly kind: 'image' | 'file'
  /** Where Sanity takes the extension of a file from. */
  readonly filename: string
  readonly sizeBytes: number
  /** Its bytes from the beginning, once for each try. What it throws ends the upload. */
  readonly open: () => AsyncIterable<Buffer>
}

/** How an upload ended. */
export type Uploaded =
  /** The asset's document as it is on the server now, under an id that the server made. */
  | { readonly kind: 'uploaded'; readonly document: Readonly<Record<string, unknown>> }
  /** The file itself is not taken. `words`: Sanity's own, made harmless. */
  | { readonly kind: 'refused'; readonly status: number; readonly words: string }

/** Sanity ends an upload after five minutes: sanity.io/docs/content-lake/technical-limits. */
const uploadDeadlines = { firstByteMs: 300_000, idleMs: 30_000, totalMs: 30_000 } as const

/** What an upload is called in the log and in errors. */
export function nameOfUpload({ kind }: UploadFile): string {
  return kind === 'image' ? 'the upload of an image' : 'the upload of a file'
}

/**
 * Uploads a file (sanity.io/docs/http-reference/assets). Its type is left out, as it may be: Sanity's own client sends one only if it is told to.
 * Throws what {@link refusalOf} throws, and the file's own error as it is.
 */
export async function uploadOnce(api: SanityApi, file: UploadFile): Promise<Uploaded> {
  const what = nameOfUpload(file)
  const { bytes, failure } = outgoing(file)
  const options = { body: bytes, sizeBytes: file.sizeBytes, deadlines: uploadDeadlines, what, cut: cutWrite }
  const query = { filename: shortName(file.filename), tag }
  const answer = await api
    .send(`/assets/${file.kind === 'image' ? 'images' : 'files'}/${api.source.dataset}`, { ...options, query })
    .catch((error: unknown) => {
      throw failure()?.error ?? error
    })
  const { status, body, url } = answer
  if (status !== 200) {
    const [problem] = problemsOf(refusalOf({ ...answer, what, source: api.source }), status)
    return { kind: 'refused', status, words: problem?.words ?? '' }
  }
  const document = recordIn(parseRecord(body), 'document')
  if (!document || textIn(document, '_id') === '') throw notAnAnswer({ what, url })
  return { kind: 'uploaded', document }
}

/** The end of a file's name, with its extension: the head of a request may have 15 KB. The name comes from outside. */
function shortName(filename: string): string {
  return filename.slice(-200)
}

/** The bytes of a file on their way, and what went wrong with the file itself, which no further try can help. */
type Outgoing = { readonly bytes: AsyncIterable<Buffer>; readonly failure: () => { readonly error: unknown } | undefined }

/** Opens a file to be sent. A request that fails because its body does must not pass for a failure of the network. */
function outgoing({ open, sizeBytes }: UploadFile): Outgoing {
  let failure: { readonly error: unknown } | undefined
  const fail = (error: unknown): never => {
    failure = { error }
    throw error
  }
  const generate = async function* () {
    let sentBytes = 0
    // Not `for await`: what the receiver throws in at the `yield` is no failure of the file.
    const pieces = open()[Symbol.asyncIterator]()
    try {
      for (;;) {
        const { done, value } = await pieces.next().catch(fail)
        if (!done) sentBytes += value.length
        if (sentBytes > sizeBytes || (done && sentBytes < sizeBytes)) fail(otherSize(sizeBytes))
        if (done) return
        yield value
      }
    } finally {
      await pieces.return?.()
    }
  }
  return { bytes: generate(), failure: () => failure }
}

function otherSize(sizeBytes: number): BackupError {
  return new BackupError({
    code: 'snapshot-invalid',
    title: 'The file of an asset is not as long as it was',
    message: `A file of ${sizeBytes} bytes changed while it was uploaded.`,
    hint: 'Let nothing else write into the folder of the snapshot, and run the restore again.',
  })
}
