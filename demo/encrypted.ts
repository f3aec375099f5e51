import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { Decrypter, generateX25519Identity, identityToRecipient } from 'age-encryption'
import type { Sanity } from '../test/doubles/sanity/sanity.ts'
import { runAction } from '../test/support/runner/runner.ts'

/** Backs up the emulated dataset encrypted, and opens it with the stock `age`, or with its library where that is not installed. Gives what to print. */
export async function showEncrypted(sanity: Sanity): Promise<string[]> {
  const identity = await generateX25519Identity()
  const recipient = await identityToRecipient(identity)
  const folder = await mkdtemp(join(tmpdir(), 'sanity-backup-demo-'))
  try {
    const inputs = {
      'project-id': sanity.project,
      dataset: sanity.dataset,
      token: sanity.token,
      'api-host': sanity.url,
      destination: 'directory',
      'encrypt-to': recipient,
      path: join(folder, 'snapshots'),
    }
    await mkdir(inputs.path)
    await using run = await runAction({ inputs, timeoutMs: 120_000 })
    if (run.exitCode !== 0) return ['  It failed:', run.log]
    const path = run.outputs['path'] ?? ''
    const manifest = JSON.parse(await readFile(join(path, 'manifest.json'), 'utf8'))
    const { opener, content } = await open(join(path, 'data.ndjson.gz.age'), { identity, folder })
    const documents = gunzipSync(content).toString('utf8').trimEnd().split('\n').length
    await using verified = await runAction({ action: 'verify', inputs: { path, identity }, timeoutMs: 120_000 })
    return [
      ...manifest.files.map(
        (file: { path: string; sizeBytes: number }) => `  ${file.path.padEnd(22)} ${file.sizeBytes.toLocaleString('en')} bytes`,
      ),
      `  encrypted to           ${manifest.encryption.recipients.join(', ')}`,
      `  opened with ${opener}: ${documents.toLocaleString('en')} documents`,
      `  verified with the key: ${verified.outputs['status'] ?? verified.log}`,
    ]
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function open(
  file: string,
  { identity, folder }: { readonly identity: string; readonly folder: string },
): Promise<{ readonly opener: string; readonly content: Uint8Array }> {
  const key = join(folder, 'key.txt')
  await writeFile(key, `${identity}\n`, { mode: 0o600 })
  const opened = spawnSync('age', ['-d', '-i', key, file], { maxBuffer: 1024 ** 3 })
  if (opened.status === 0) return { opener: 'age -d -i key.txt', content: opened.stdout }
  const decrypter = new Decrypter()
  decrypter.addIdentity(identity)
  return { opener: 'age’s library', content: await decrypter.decrypt(await readFile(file)) }
}
