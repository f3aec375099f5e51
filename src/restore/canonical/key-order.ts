import { closeBrace, colon, openBrace, quote } from '../../streams/json/json-bytes.ts'
import { endOfString } from '../../streams/json/scan.ts'
import type { Span } from './output.ts'

/** A member, with the objects in its value that have to be written anew, the outermost ones alone. */
type Member = { readonly start: number; readonly keyEnd: number; end: number; readonly inner: Container[] }

/** An object. What it lies in is that of its members which came last when it began. */
type Container = { readonly start: number; end: number; readonly members: Member[]; readonly within: Container | undefined }

/** A place that is written as it is, but for the objects in it. */
type Piece = Span & { readonly inner: readonly Container[] }

/**
 * A line of {@link normalize} with the keys of all objects in the order of their bytes, and of those that come twice the last one. Takes time and
 * memory in proportion to the line, however deep it is nested: objects are not put in order one inside another, but written once, outermost first.
 */
export function sortKeys(line: Buffer): Buffer {
  const sorted = Buffer.allocUnsafe(line.length)
  let length = 0
  // The last one is the next to be written.
  const pieces: Piece[] = [{ start: 0, end: line.length, inner: containersIn(line) }]
  for (let piece = pieces.pop(); piece; piece = pieces.pop()) {
    if (piece.inner.length === 0) length = copy(line, piece, sorted, length)
    else pushParts(pieces, piece, line)
  }
  return sorted.subarray(0, length)
}

/** Gives the length with the piece. Most pieces are a comma or a short member: for these, a loop is faster than a call. */
function copy(line: Buffer, { start, end }: Span, sorted: Buffer, length: number): number {
  if (end - start > 32) return length + line.copy(sorted, length, start, end)
  let to = length
  for (let at = start; at < end; at++) sorted[to++] = line[at] as number
  return to
}

/** The outermost objects that are not in order, or hold one that is not. */
function containersIn(line: Buffer): Container[] {
  const outermost: Container[] = []
  let within: Container | undefined
  for (let at = 0; at < line.length; ) {
    const byte = line[at]
    if (byte === quote) {
      const end = endOfString(line, at)
      // What has a colon behind it is a key, and then it is one of the innermost object: all arrays that began in it have ended.
      if (line[end] === colon && within) pushMember(within, at, end)
      at = end
      continue
    }
    if (byte === openBrace) within = { start: at, end: at, members: [], within }
    if (byte === closeBrace && within) {
      close(within, at)
      if (isWorthWriting(within, line)) (within.within?.members.at(-1)?.inner ?? outermost).push(within)
      within = within.within
    }
    at++
  }
  return outermost
}

function pushMember({ members }: Container, start: number, keyEnd: number): void {
  const last = members.at(-1)
  // Between them there is the comma.
  if (last) last.end = start - 1
  members.push({ start, keyEnd, end: keyEnd, inner: [] })
}

function close(container: Container, bracketAt: number): void {
  container.end = bracketAt + 1
  const last = container.members.at(-1)
  if (last) last.end = bracketAt
}

function isWorthWriting({ members }: Container, line: Buffer): boolean {
  return members.some((member, index) => {
    const last = members[index - 1]
    return member.inner.length > 0 || (last !== undefined && compareKeys(line, last, member) >= 0)
  })
}

/** Keys differ in their first few bytes, so this is faster than a call of `Buffer.compare`. */
function compareKeys(line: Buffer, a: Member, b: Member): number {
  const length = Math.min(a.keyEnd - a.start, b.keyEnd - b.start)
  for (let place = 0; place < length; place++) {
    const difference = (line[a.start + place] as number) - (line[b.start + place] as number)
    if (difference !== 0) return difference
  }
  return a.keyEnd - a.start - (b.keyEnd - b.start)
}

/** Divides a place into the objects in it and what is between them; the last part first, since they are taken from the end. */
function pushParts(pieces: Piece[], piece: Piece, line: Buffer): void {
  let end = piece.end
  for (const container of piece.inner.toReversed()) {
    pieces.push(plain(container.end, end))
    pushContainer(pieces, container, line)
    end = container.start
  }
  pieces.push(plain(piece.start, end))
}

function pushContainer(pieces: Piece[], { start, end, members }: Container, line: Buffer): void {
  const sorted = members.toSorted((a, b) => compareKeys(line, a, b))
  // The order of equal ones is kept, so that the last one counts, as it does for the parser.
  const kept = sorted.filter((member, index) => {
    const next = sorted[index + 1]
    return next === undefined || compareKeys(line, member, next) !== 0
  })
  const firstEnd = members[0]?.end ?? 0
  const comma = plain(firstEnd, firstEnd + 1)
  pieces.push(plain(end - 1, end))
  for (const [index, member] of kept.toReversed().entries()) {
    if (index > 0) pieces.push(comma)
    pieces.push(member)
  }
  pieces.push(plain(start, start + 1))
}

function plain(start: number, end: number): Piece {
  return { start, end, inner: [] }
}
