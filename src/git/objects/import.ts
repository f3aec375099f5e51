import type { Git } from '../command.ts'

/** GitHub's own bot, with its noreply address, makes the commits. */
export const botAddress = '41898282+github-actions[bot]@users.noreply.github.com'
const bot = `github-actions[bot] <${botAddress}>`

/** A change of one file. `name`: the blob that it becomes; undefined: it is removed. Paths are bytes, one a character (latin1). */
export type FileChange = { readonly path: string; readonly name: string | undefined }

type NewCommit = {
  readonly parent: string | undefined
  readonly message: string
  readonly time: Date
  readonly changes: AsyncIterable<FileChange> | Iterable<FileChange>
}

/** Content on its way into git. */
export type NewBlob = { readonly sizeBytes: number; readonly chunks: AsyncIterable<Buffer> | Iterable<Buffer> }

/** Content that is written, and then at most one commit that is made of it. */
export type ImportStep = { readonly kind: 'blob'; readonly blob: NewBlob } | { readonly kind: 'commit'; readonly commit: NewCommit }

const importedRef = 'refs/made/commit'

/**
 * Writes blobs, and a commit of them, straight into one pack: nothing is held in memory, and no object gets a file of its own. Returns the
 * commit; undefined if there was none. The protocol: git-scm.com/docs/git-fast-import.
 */
export async function importObjects(git: Git, steps: AsyncIterable<ImportStep>): Promise<string | undefined> {
  let made = false
  const input = async function* (): AsyncGenerator<Buffer> {
    for await (const step of steps) {
      if (step.kind === 'blob') yield* blobCommand(step.blob)
      else {
        made = true
        yield* commitCommand(step.commit)
      }
    }
    yield Buffer.from('done\n')
  }
  await git.run(['fast-import', '--quiet', '--done', '--force'], { input: joined(input()) })
  return made ? (await git.run(['rev-parse', '--verify', importedRef])).toString('latin1').trim() : undefined
}

async function* blobCommand({ sizeBytes, chunks }: NewBlob): AsyncGenerator<Buffer> {
  yield Buffer.from(`blob\ndata ${sizeBytes}\n`)
  yield* chunks
  yield Buffer.from('\n')
}

/** Writes a commit of a tree that is at hand, and gives it. */
export async function commitTree(
  git: Git,
  { tree, parent, message, time }: { readonly tree: string; readonly parent: string; readonly message: string; readonly time: Date },
): Promise<string> {
  const signature = signatureAt(time)
  const content = Buffer.from(`tree ${tree}\nparent ${parent}\nauthor ${signature}\ncommitter ${signature}\n\n${message}`)
  const input = async function* () {
    yield content
  }
  return (await git.run(['hash-object', '-t', 'commit', '-w', '--stdin'], { input: input() })).toString('latin1').trim()
}

function signatureAt(time: Date): string {
  return `${bot} ${Math.floor(time.getTime() / 1000)} +0000`
}

async function* commitCommand({ parent, message, time, changes }: NewCommit): AsyncGenerator<Buffer> {
  const signature = signatureAt(time)
  const text = Buffer.from(message)
  // A new branch begins without a parent only if there is none of that name yet.
  yield Buffer.from(`reset ${importedRef}\n\ncommit ${importedRef}\nauthor ${signature}\ncommitter ${signature}\ndata ${text.length}\n`)
  yield text
  yield Buffer.from(`\n${parent === undefined ? '' : `from ${parent}\n`}`)
  for await (const { path, name } of changes) {
    yield Buffer.from(name === undefined ? `D ${quoted(path)}\n` : `M 100644 ${name} ${quoted(path)}\n`, 'latin1')
  }
  yield Buffer.from('\n')
}

function quoted(path: string): string {
  if (/^[A-Za-z0-9_%.][A-Za-z0-9_%./-]*$/.test(path)) return path
  const escaped = path.replace(/["\\]/g, '\\$&').replace(/\n/g, '\\n')
  return `"${escaped}"`
}

const joinBytes = 64 * 1024

/** Puts small pieces together: each write to a pipe costs. */
async function* joined(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = []
  let bytes = 0
  for await (const piece of pieces) {
    waiting.push(piece)
    bytes += piece.length
    if (bytes < joinBytes) continue
    yield waiting.length === 1 ? piece : Buffer.concat(waiting)
    waiting = []
    bytes = 0
  }
  if (bytes > 0) yield Buffer.concat(waiting)
}
