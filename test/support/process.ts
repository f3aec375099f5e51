import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of this repository. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export type Finished = { readonly exitCode: number | null; readonly stdout: string; readonly stderr: string }

/** Runs a script of `test/peers` under this Node with one JSON argument. */
export async function runPeer(script: URL, argument: object, env: Readonly<Record<string, string>> = {}): Promise<Finished> {
  return await runNode([fileURLToPath(script), JSON.stringify(argument)], { env })
}

async function runNode(
  args: readonly string[],
  { env = {}, timeoutMs = 60_000, cwd = ROOT }: { env?: Readonly<Record<string, string>>; timeoutMs?: number; cwd?: string } = {},
): Promise<Finished> {
  const child = spawn(process.execPath, args, { env: { PATH: '/usr/bin:/bin', ...env }, cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  const texts = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (texts.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (texts.stderr += text))
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
  const [exitCode] = (await once(child, 'close')) as [number | null]
  clearTimeout(timer)
  return { exitCode, ...texts }
}

export type TempFolder = AsyncDisposable & { readonly path: string }

export async function makeTempFolder(name = 'test'): Promise<TempFolder> {
  const path = await mkdtemp(join(tmpdir(), `sanity-backup-${name}-`))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) }
}

/** What lies below a folder at this moment, relative to it; nothing while a part of it goes away. */
export function namesBelow(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
  } catch {
    return []
  }
}

/** Waits until something has happened. */
export async function until(happened: () => boolean, timeoutMs = 120_000): Promise<void> {
  const end = performance.now() + timeoutMs
  while (!happened()) {
    if (performance.now() > end) throw new Error(`It did not happen within ${timeoutMs} ms: ${happened}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
