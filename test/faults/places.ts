import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { listen } from '../doubles/http.ts'
import { redirectTo } from '../doubles/sanity/answers.ts'
import type { Sanity } from '../doubles/sanity/sanity.ts'
import { startSelfSigned } from '../doubles/self-signed.ts'
import { smallDisk } from '../support/disk.ts'
import type { Place } from './row.ts'

/** The export redirects to a host that must not see the token. */
export async function honeypot(_: string, sanity: Sanity): Promise<Place> {
  let betrayed = 0
  const trap = await listen((request, response) => {
    if (request.headers.authorization) betrayed++
    response.end()
  })
  sanity.fault('export', { answer: redirectTo(`${trap.url}/v2025-02-19/data/export/production`) })
  return { betrayed: () => betrayed, [Symbol.asyncDispose]: () => trap[Symbol.asyncDispose]() }
}

/** A server with a certificate of its own making: whoever asks it for something gives the token away. */
export async function untrusted(folder: string): Promise<Place> {
  const server = await startSelfSigned(folder)
  return { url: server.url, betrayed: server.requests, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

/** A proxy that lets nothing through. */
export function proxyThatRefuses(status: number): () => Promise<Place> {
  return async () => {
    const proxy = createServer((_, response) => void response.writeHead(status).end())
    proxy.on('connect', (_, socket) => void socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`))
    proxy.listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    const url = `http://somebody:proxyPassword123@127.0.0.1:${(proxy.address() as AddressInfo).port}`
    return {
      env: { HTTPS_PROXY: url, https_proxy: url },
      async [Symbol.asyncDispose]() {
        proxy.closeAllConnections()
        proxy.close()
        await once(proxy, 'close')
      },
    }
  }
}

/** A disk of a few bytes for everything that is written or, full from the start, only for the file of the outputs. */
export function fullDisk(bytes: number, { outputs = false } = {}): (folder: string) => Promise<Place> {
  return async (folder) => {
    const { path, [Symbol.asyncDispose]: dispose } = await smallDisk(bytes, { at: join(folder, 'disk') })
    if (!outputs) return { output: path, [Symbol.asyncDispose]: dispose }
    await writeFile(join(path, 'output'), '')
    await writeFile(join(path, 'ballast'), Buffer.alloc(bytes)).catch(() => undefined)
    return { env: { GITHUB_OUTPUT: join(path, 'output') }, [Symbol.asyncDispose]: dispose }
  }
}
