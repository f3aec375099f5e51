import { BackupError } from '../../errors.ts'
import type { SentAnswer } from '../api.ts'
import type { Answer } from '../errors/answer.ts'
import { notAnAnswer } from '../errors/write.ts'
import { parseRecord, problemsOf, recordIn, textIn } from './problems.ts'
import { refusalOf } from './refused.ts'

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

/** What the answer to an upload means. Throws what {@link refusalOf} throws. */
export function uploadedOf({ answer, what, source }: { readonly answer: SentAnswer } & Pick<Answer, 'what' | 'source'>): Uploaded {
  const { status } = answer
  if (status !== 200) {
    const [problem] = problemsOf(refusalOf({ ...answer, what, source }), status)
    return { kind: 'refused', status, words: problem?.words ?? '' }
  }
  const document = recordIn(parseRecord(answer.body), 'document')
  if (textIn(document, '_id') === '' || !document) throw notAnAnswer({ what, url: answer.url })
  return { kind: 'uploaded', document }
}

/** The bytes of a file on their way, and what went wrong with the file itself, which no further try can help. */
export type Outgoing = { readonly bytes: AsyncIterable<Buffer>; readonly failure: () => { readonly error: unknown } | undefined }

/** Opens a file to be sent. A request that fails because its body does must not pass for a failure of the network. */
export function outgoing({ open, sizeBytes }: UploadFile): Outgoing {
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
