import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { findCodec } from '../../codec/codecs.ts'
import { onePiece } from '../../codec/one-piece.ts'
import { messageOf } from '../../errors.ts'
import { type Findings, fileFinding } from '../../format/findings/finding.ts'
import type { FileEntry } from '../../format/manifest/manifest.ts'
import { digester } from '../../streams/digest.ts'
import { splitLines } from '../../streams/lines.ts'
import { freeing } from '../../streams/memory.ts'
import { tap } from '../../streams/tap.ts'
import { quoteOutside } from '../../text.ts'

/** A file of lines, compressed; `parts` are the files that it lies in, in their order: most often it is one. */
export type LinesFile = { readonly folder: string; readonly name: string; readonly parts: readonly FileEntry[] }

type Look = { readonly findings: Findings; readonly signal: AbortSignal }

/**
 * Reads a file of lines in one pass: what is stored is digested while it is decompressed, and the content with it. `add` gets each line and its
 * number. Gives whether all of it was read: what the lines say together counts only then.
 */
export async function checkLines(
  file: LinesFile,
  add: (line: Buffer, lineNumber: number) => void,
  { findings, signal }: Look,
): Promise<boolean> {
  const stored = file.parts.map(() => digester())
  const content = digester()
  const codec = findCodec(file.name)
  if (codec === undefined) throw new Error(`${file.name} is not compressed`)
  const piece = onePiece(codec)
  const bytes = tap(
    partsOf(file, signal, (part, chunk) => stored[part]?.update(chunk)),
    piece.stored,
  )
  const unpacked = tap(freeing(codec.decompress(bytes)), (chunk) => {
    piece.content(chunk)
    content.update(chunk)
  })
  try {
    await eachLine(unpacked, add)
  } catch (error) {
    signal.throwIfAborted()
    findings.add(fileFinding('content-unreadable', file.name, `cannot be read: ${quoteOutside(messageOf(error), 200)}`))
    return false
  }
  const differing = file.parts.filter(({ digest }, index) => stored[index]?.result().digest !== digest)
  for (const { path, digest } of differing) findings.add(fileFinding('digest-differs', path, `has another digest than ${digest}`))
  const wrong = piece.findWrong()
  if (wrong !== undefined) findings.add(fileFinding('content-unreadable', file.name, wrong))
  const { bytes: contentBytes, digest: contentDigest } = content.result()
  const [entry] = file.parts
  const isOther = (entry?.contentBytes ?? contentBytes) !== contentBytes || (entry?.contentDigest ?? contentDigest) !== contentDigest
  if (isOther) findings.add(fileFinding('content-differs', file.name, 'does not hold the content that the manifest describes'))
  return true
}

/** Reads the lines of a file once more, which was checked. */
export async function readLinesAgain(file: LinesFile, add: (line: Buffer, lineNumber: number) => void, signal: AbortSignal): Promise<void> {
  const chunks = partsOf(file, signal, () => undefined)
  await eachLine(freeing(findCodec(file.name)?.decompress(chunks) ?? chunks), add)
}

async function* partsOf(
  { folder, parts }: LinesFile,
  signal: AbortSignal,
  look: (part: number, chunk: Buffer) => void,
): AsyncGenerator<Buffer> {
  for (const [part, { path }] of parts.entries()) {
    const chunks: AsyncIterable<Buffer> = createReadStream(join(folder, path), { highWaterMark: 256 * 1024, signal })
    for await (const chunk of chunks) {
      look(part, chunk)
      yield chunk
    }
  }
}

async function eachLine(content: AsyncIterable<Buffer>, add: (line: Buffer, lineNumber: number) => void): Promise<void> {
  let lineNumber = 0
  for await (const { lines } of splitLines(content, Number.POSITIVE_INFINITY)) {
    for (const line of lines) add(line, ++lineNumber)
  }
}
