import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { expect } from '@jest/globals'
import { type KeyPair, makeKeys, openBytes, openerFor } from '../../../codec/age-files.ts'

/** Two holders of keys. */
export const ann = await makeKeys('x25519')
export const bob = await makeKeys('x25519')

/** Opens an age file with each of the keys alone: all must give the same. */
export async function openWithEach(file: Buffer, keys: readonly KeyPair[] = [ann, bob]): Promise<Buffer> {
  const contents: Buffer[] = []
  for (const key of keys) {
    const { given, reason } = await openBytes(openerFor(key), file)
    expect(reason).toBeUndefined()
    contents.push(given)
  }
  for (const content of contents) expect(content.equals(contents[0] as Buffer)).toBe(true)
  return contents[0] as Buffer
}

export const unpack = (name: string, bytes: Buffer): Buffer =>
  name.includes('.zst') ? zstdDecompressSync(bytes) : name.includes('.gz') ? gunzipSync(bytes) : bytes

/** The one folder below `path`, and its files with their bytes. */
export async function filesBelow(path: string): Promise<Map<string, Buffer>> {
  const [name = ''] = await readdir(path)
  const folder = join(path, name)
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return new Map(await Promise.all(files.map(async (file) => [file.slice(folder.length + 1), await readFile(file)] as const)))
}
