import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** A server of its own process that sends an export of about `bytes`; see server.ts. */
export type Source = { readonly url: string; readonly documents: number; readonly bytes: number; readonly [Symbol.dispose]: () => void }

/** Starts a {@link Source}. With `lineBytes`, its documents are made of as many of the demo's as fit into a line of that size. */
export async function startSource({ bytes, lineBytes = 0 }: { bytes: number; lineBytes?: number }): Promise<Source> {
  const child: ChildProcess = spawn(process.execPath, [join(import.meta.dirname, 'server.ts'), String(bytes), String(lineBytes)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (child.stdout === null) throw new Error('the server has no output')
  const [answer] = (await once(child.stdout, 'data')) as [Buffer]
  const { port, ...size } = JSON.parse(String(answer)) as { port: number; documents: number; bytes: number }
  return { url: `http://127.0.0.1:${port}`, ...size, [Symbol.dispose]: () => void child.kill() }
}
