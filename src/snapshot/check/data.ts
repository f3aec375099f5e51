import { findCodec } from '../../codec/codecs.ts'
import { onePiece } from '../../codec/one-piece.ts'
import { messageOf } from '../../errors.ts'
import { type Finding, type Findings, fileFinding } from '../../format/findings/finding.ts'
import type { FileEntry } from '../../format/manifest/manifest.ts'
import { plainName } from '../../format/manifest/sealed.ts'
import { type Digester, digester } from '../../streams/digest.ts'
import { LineTooLongError, longestLineBytes, splitLines } from '../../streams/lines.ts'
import { tap } from '../../streams/tap.ts'
import { formatBytes, formatCount, quoteOutside } from '../../text.ts'
import type { DataFile } from '../read/document-lines.ts'
import { type Reading, unpackedFile } from '../read/opened.ts'

/** A file of lines, compressed. */
export type LinesFile = DataFile & { readonly folder: string }

type Look = Pick<Reading, 'opener'> & { readonly findings: Findings; readonly signal: AbortSignal }

/**
 * Reads a file of lines in one pass: what is stored is digested while it is opened and decompressed, and the content with it. `add` gets each line and
 * its number. Stops where there is more than the manifest says, or no end of a line. Gives whether all of it was read: what the lines say together counts only then.
 */
export async function checkLines(
  { folder, name, parts }: LinesFile,
  add: (line: Buffer, lineNumber: number) => void,
  { findings, signal, opener }: Look,
): Promise<boolean> {
  const stored = parts.map(() => digester())
  const content = digester()
  const codec = findCodec(plainName(name))
  if (codec === undefined) throw new Error(`${name} is not compressed`)
  const piece = onePiece(codec)
  const file = { folder, path: name, parts: parts.map(({ path }) => path) }
  const onStored = (chunk: Buffer, part: number): void => stored[part]?.update(chunk)
  const mostBytes = parts[0]?.contentBytes ?? Number.POSITIVE_INFINITY
  let bytes = 0
  const unpacked = tap(unpackedFile(file, { opener, signal, onStored, onOpened: piece.stored }), (chunk) => {
    bytes += chunk.length
    if (bytes > mostBytes) throw new TooMuchError()
    piece.content(chunk)
    content.update(chunk)
  })
  try {
    await eachLine(unpacked, add)
  } catch (error) {
    signal.throwIfAborted()
    findings.add(whyStopped(name, error))
    return false
  }
  const differing = parts.filter(({ digest }, index) => stored[index]?.result().digest !== digest)
  for (const { path, digest } of differing) findings.add(fileFinding('digest-differs', path, `has another digest than ${digest}`))
  const wrong = piece.findWrong()
  if (wrong !== undefined) findings.add(fileFinding('content-unreadable', name, wrong))
  if (isOther(parts[0], content.result())) findings.add(fileFinding('content-differs', name, differs))
  return true
}

/** A file holds more than the manifest says. A small one can unpack to very much, so that is not read. */
class TooMuchError extends Error {}

function whyStopped(name: string, error: unknown): Finding {
  if (error instanceof TooMuchError) return fileFinding('content-differs', name, 'holds more than the manifest describes')
  if (error instanceof LineTooLongError) {
    const says = `line ${formatCount(error.lineNumber)} is longer than any document: it has more than ${formatBytes(longestLineBytes)}`
    return fileFinding('line-invalid', name, says)
  }
  return fileFinding('content-unreadable', name, `cannot be read: ${quoteOutside(messageOf(error), 200)}`)
}

/** For a finding about a file. */
export const differs = 'does not hold the content that the manifest describes'

/** Whether the content of a file is not the one that its entry describes, as far as it does. */
export function isOther(entry: Partial<FileEntry> | undefined, { bytes, digest }: ReturnType<Digester['result']>): boolean {
  return (entry?.contentBytes ?? bytes) !== bytes || (entry?.contentDigest ?? digest) !== digest
}

async function eachLine(content: AsyncIterable<Buffer>, add: (line: Buffer, lineNumber: number) => void): Promise<void> {
  let lineNumber = 0
  for await (const { lines } of splitLines(content, longestLineBytes)) {
    for (const line of lines) add(line, ++lineNumber)
  }
}
