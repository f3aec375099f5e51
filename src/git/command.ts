import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'

/** How a git process ended. */
export type Finished = { readonly exitCode: number | null; readonly stdout: Buffer; readonly stderr: string }

/** Runs git in one repository. Every process ends when the signal is aborted; then its reason is thrown. */
export type Git = {
  /** Runs git to its end. What it prints must be short. Throws {@link GitError} unless it ends well. */
  readonly run: (args: readonly string[], options?: { readonly input?: AsyncIterable<Buffer> }) => Promise<Buffer>
  /** Runs git to its end, however that is. */
  readonly attempt: (args: readonly string[], options?: { readonly signal?: AbortSignal }) => Promise<Finished>
  /** Streams what git prints. Throws {@link GitError} at the end unless it ended well. */
  readonly read: (args: readonly string[], options?: { readonly input?: AsyncIterable<Buffer> }) => AsyncGenerator<Buffer>
}

/** A git process that did not end well. */
export class GitError extends Error {
  readonly finished: Finished

  constructor(args: readonly string[], finished: Finished) {
    super(`git ${args[0]} ended with ${finished.exitCode ?? 'a signal'}: ${finished.stderr.trim()}`)
    this.name = 'GitError'
    this.finished = finished
  }
}

/** The first bytes of git's messages are kept, and no more. */
const messageBytes = 64 * 1024

/** Where git runs, with which variables and settings, and what ends it. */
type GitNeeds = {
  readonly folder: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
}

/** Makes the {@link Git} of a folder. */
export function gitIn(needs: GitNeeds): Git {
  return {
    run: async (args, { input } = {}) => {
      const finished = await finish(start(needs, args, input))
      if (finished.exitCode !== 0) throw new GitError(args, finished)
      return finished.stdout
    },
    attempt: async (args, { signal = needs.signal } = {}) => await finish(start({ ...needs, signal }, args)),
    read: async function* (args, { input } = {}) {
      const running = start(needs, args, input)
      try {
        yield* running.stdout
        const finished = await running.end()
        if (finished.exitCode !== 0) throw new GitError(args, { stdout: Buffer.alloc(0), ...finished })
      } finally {
        // The reader may have stopped early.
        running.kill()
      }
    },
  }
}

/** A git process that was started. */
type Running = {
  readonly stdout: AsyncIterable<Buffer>
  /** Waits until it has ended. Throws the signal's reason, or what its input threw. */
  readonly end: () => Promise<Omit<Finished, 'stdout'>>
  readonly kill: () => void
}

/** On Windows there are no groups of processes. */
const hasGroups = process.platform !== 'win32'

function start({ folder, environment, signal }: GitNeeds, args: readonly string[], input?: AsyncIterable<Buffer>): Running {
  signal.throwIfAborted()
  // In a group of its own, so that the processes that git starts can be ended with it.
  const child = spawn('git', args, { cwd: folder, env: environment, stdio: ['pipe', 'pipe', 'pipe'], detached: hasGroups })
  const kill = (): void => killGroup(child)
  signal.addEventListener('abort', kill, { once: true })
  const messages = collectMessages(child.stderr)
  const fed = feed(child.stdin, input)
  const closed = once(child, 'close').finally(() => signal.removeEventListener('abort', kill)) as Promise<[number | null]>
  closed.catch(() => undefined)
  const end: Running['end'] = async () => {
    const [exitCode] = await closed
    const failure = await fed
    signal.throwIfAborted()
    // What the input itself threw comes before git's complaint that it broke off.
    if (failure !== undefined) throw failure
    return { exitCode, stderr: messages() }
  }
  return { stdout: child.stdout, end, kill }
}

async function finish({ stdout, end }: Running): Promise<Finished> {
  const chunks: Buffer[] = []
  for await (const chunk of stdout) chunks.push(chunk)
  return { stdout: Buffer.concat(chunks), ...(await end()) }
}

function killGroup(child: ChildProcess): void {
  if (child.exitCode !== null || child.signalCode !== null) return
  try {
    if (hasGroups && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    else child.kill('SIGKILL')
  } catch {
    // It has ended already.
  }
}

/** Reads what git prints for people, and gives what came so far. */
function collectMessages(stderr: Readable): () => string {
  const chunks: Buffer[] = []
  let bytes = 0
  stderr.on('data', (chunk: Buffer) => {
    if (bytes < messageBytes) chunks.push(chunk)
    bytes += chunk.length
  })
  return () => Buffer.concat(chunks).toString('utf8')
}

/** Resolves when there is room again, or when the process reads no more. */
function drained(stdin: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stdin.off('drain', done)
      stdin.off('close', done)
      resolve()
    }
    stdin.on('drain', done)
    stdin.on('close', done)
  })
}

/** Writes all of the input, as fast as git reads it. Gives what the input threw. Where git stops reading, its exit code says why. */
async function feed(stdin: Writable, input: AsyncIterable<Buffer> | undefined): Promise<unknown> {
  let gone = false
  stdin.on('error', () => undefined)
  stdin.once('close', () => {
    gone = true
  })
  try {
    for await (const chunk of input ?? []) {
      if (gone || stdin.destroyed) return undefined
      if (!stdin.write(chunk)) await drained(stdin)
    }
    return undefined
  } catch (error) {
    return error
  } finally {
    stdin.end()
  }
}
