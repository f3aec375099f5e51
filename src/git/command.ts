import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Writable } from 'node:stream'

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

/** More of git's words than this nobody reads. */
const stderrBytes = 64 * 1024

type Options = {
  readonly folder: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
}

/** Makes the {@link Git} of a folder. */
export function gitIn({ folder, environment, signal }: Options): Git {
  const start = (args: readonly string[], { input, stop = signal }: { input?: AsyncIterable<Buffer> | undefined; stop?: AbortSignal }) => {
    stop.throwIfAborted()
    // In a group of its own, so that the processes that git starts can be ended with it.
    const detached = process.platform !== 'win32'
    const child = spawn('git', args, { cwd: folder, env: environment, stdio: ['pipe', 'pipe', 'pipe'], detached })
    const kill = (): void => {
      if (child.exitCode !== null || child.signalCode !== null) return
      try {
        if (detached && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
        else child.kill('SIGKILL')
      } catch {
        // It has ended already.
      }
    }
    stop.addEventListener('abort', kill, { once: true })
    const told: Buffer[] = []
    let toldBytes = 0
    child.stderr.on('data', (chunk: Buffer) => {
      if (toldBytes < stderrBytes) told.push(chunk)
      toldBytes += chunk.length
    })
    const fed = feed(child.stdin, input)
    const closed = once(child, 'close').finally(() => stop.removeEventListener('abort', kill)) as Promise<[number | null]>
    closed.catch(() => undefined)
    const ended = async (): Promise<Omit<Finished, 'stdout'>> => {
      const [exitCode] = await closed
      const failure = await fed
      stop.throwIfAborted()
      // What the input itself threw comes before git's complaint that it broke off.
      if (failure !== undefined) throw failure
      return { exitCode, stderr: Buffer.concat(told).toString('utf8') }
    }
    return { stdout: child.stdout as AsyncIterable<Buffer>, ended, kill }
  }

  const finish = async (args: readonly string[], options: Parameters<typeof start>[1]): Promise<Finished> => {
    const { stdout, ended } = start(args, options)
    const chunks: Buffer[] = []
    for await (const chunk of stdout) chunks.push(chunk)
    return { stdout: Buffer.concat(chunks), ...(await ended()) }
  }

  return {
    run: async (args, { input } = {}) => {
      const finished = await finish(args, { input })
      if (finished.exitCode !== 0) throw new GitError(args, finished)
      return finished.stdout
    },
    attempt: async (args, { signal: stop } = {}) => await finish(args, stop ? { stop } : {}),
    read: async function* (args, { input } = {}) {
      const { stdout, ended, kill } = start(args, { input })
      try {
        yield* stdout
        const finished = await ended()
        if (finished.exitCode !== 0) throw new GitError(args, { stdout: Buffer.alloc(0), ...finished })
      } finally {
        // Whoever stopped reading wants no more of it.
        kill()
      }
    },
  }
}

/** Resolves when there is room again, or nobody who would make some. */
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

/** Writes all of the input, as fast as git reads it. Gives what the input threw; that git does not want more of it shows in how it ends. */
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
