import { hash } from 'node:crypto'
import { publishedId } from './manifest/filters.ts'

/** How many levels of folders stand between a type and its documents. */
export type Depth = 1 | 2

/** Above so many documents the second level of folders is needed: git writes a folder anew for each document that changes in it. */
const mostAtDepthOne = 200_000

/** The depth for a snapshot of so many documents. */
export function depthFor(count: number): Depth {
  return count > mostAtDepthOne ? 2 : 1
}

/**
 * The path of a document in the layout `text`, below the snapshot's folder: `documents/<type>/<hh>/<_id>.json`. `hh` is a byte of the SHA-256 of the
 * published id, so that a draft lies beside its document.
 */
export function documentPath({ id, type }: { readonly id: string; readonly type: string }, depth: Depth): string {
  const digest = hash('sha256', publishedId(id), 'hex')
  const folders = Array.from({ length: depth }, (_, level) => digest.slice(level * 2, level * 2 + 2))
  return [documentsFolder, safeName(type), ...folders, `${safeName(id)}.json`].join('/')
}

/** Names of devices on Windows, also with an extension; and what no file system takes, or Windows changes. */
const unsafeName = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)|\.$/i

/** What a name may have at most on most file systems, in bytes. */
const longestNameBytes = 255

/** Whether a type's folder cannot be made, or has another name, on some systems. Git holds it as it is. */
export function isUnsafeType(type: string): boolean {
  return isUnsafe(safeName(type))
}

/** The same of a document's file. */
export function isUnsafeId(id: string): boolean {
  return isUnsafe(`${safeName(id)}.json`)
}

function isUnsafe(name: string): boolean {
  return name.length > longestNameBytes || unsafeName.test(name)
}

/** The folder of the documents in the layout `text`. */
export const documentsFolder = 'documents'

/** The type that a document's path names; undefined if it is not one of {@link documentPath}. */
export function typeInPath(path: string): string | undefined {
  const [folder, type, ...rest] = path.split('/')
  return folder === documentsFolder && type !== undefined && rest.length >= 2 ? decodeName(type) : undefined
}

/** A name for a file or folder: `%XX` for each byte that is not safe everywhere, and for a dot in front. */
function safeName(name: string): string {
  if (/^[A-Za-z0-9_-][A-Za-z0-9_.-]*$/.test(name)) return name
  const bytes = Buffer.from(name)
  return Array.from(bytes, (byte, index) => {
    const letter = String.fromCharCode(byte)
    const safe = /[A-Za-z0-9_.-]/.test(letter) && !(index === 0 && letter === '.')
    return safe ? letter : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }).join('')
}

function decodeName(name: string): string {
  return Buffer.from(
    name.replace(/%([0-9A-F]{2})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 16))),
    'latin1',
  ).toString('utf8')
}

/** GitHub warns above 50 MiB a file: docs.github.com, "About large files on GitHub". */
export const partBytes = 45 * 1024 * 1024

/** The names and sizes of the parts of a file, in order: itself if it is small enough. */
export function partsOf(path: string, sizeBytes: number): { readonly path: string; readonly start: number; readonly end: number }[] {
  if (sizeBytes <= partBytes) return [{ path, start: 0, end: sizeBytes }]
  return Array.from({ length: Math.ceil(sizeBytes / partBytes) }, (_, index) => ({
    path: `${path}.${String(index + 1).padStart(3, '0')}`,
    start: index * partBytes,
    end: Math.min(sizeBytes, (index + 1) * partBytes),
  }))
}

/** The file that keeps git from changing line ends in a snapshot on a branch, whatever the system and its settings: git-scm.com/docs/gitattributes. */
export const attributesFile = '.gitattributes'
export const attributes = Buffer.from('* -text\n')
