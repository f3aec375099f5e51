import { appendFileSync, closeSync, fsyncSync, openSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'

/** A file to which lines are added while a run goes on, each on disk before the run goes on: what was written stays, however the run ends. */
export type LineFile = Disposable & {
  readonly path: string
  readonly add: (line: string) => void
  readonly addAll: (lines: readonly string[]) => void
}

/** Begins such a file anew. */
export async function openLineFile(path: string): Promise<LineFile> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const file = openSync(path, 'w', 0o600)
  const write = (lines: readonly string[]) => {
    appendFileSync(file, lines.map((line) => `${line}\n`).join(''))
    fsyncSync(file)
  }
  return {
    path,
    add: (line) => write([line]),
    addAll: write,
    [Symbol.dispose]: () => closeSync(file),
  }
}
