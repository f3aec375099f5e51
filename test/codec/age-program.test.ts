import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect } from '@jest/globals'
import { opener, sealer } from '../../src/codec/age.ts'
import { parseIdentities, parseRecipients } from '../../src/codec/age-keys.ts'
import { onMachinesWith } from '../support/on-machines-with.ts'
import { makeTempFolder } from '../support/process.ts'
import { openBytes, sealBytes } from './age-files.ts'

// Debian's age is from before the hybrid recipients: these are compared with the library, in age.test.ts.
const itWithAge = onMachinesWith('age')
const sizes = [0, 1, 64 * 1024 - 1, 64 * 1024, 64 * 1024 + 1, 3 * 64 * 1024, 5_000_000].map((size) => ({ size }))

describe('the age program', () => {
  itWithAge.each(sizes)('opens what we seal, with each recipient alone: $size bytes', async ({ size }) => {
    await using folder = await makeTempFolder('age')
    const content = randomBytes(size)
    const keys = ['ann', 'bob'].map((name) => makeKeyFile(join(folder.path, name)))
    const file = join(folder.path, 'file.age')
    await writeFile(file, await sealBytes(await sealerOf(keys), content, [100_000]))
    for (const { path } of keys) expect(run('age', '-d', '-i', path, file).equals(content)).toBe(true)
  })

  itWithAge.each(sizes)('seals what we open, with each identity alone: $size bytes', async ({ size }) => {
    await using folder = await makeTempFolder('age')
    const content = randomBytes(size)
    const keys = ['ann', 'bob'].map((name) => makeKeyFile(join(folder.path, name)))
    const [plain, file] = [join(folder.path, 'plain'), join(folder.path, 'file.age')]
    await writeFile(plain, content)
    run('age', ...keys.flatMap(({ recipient }) => ['-r', recipient]), '-o', file, plain)
    for (const { path } of keys) {
      const identities = parseIdentities(String(await readFile(path)))
      if ('problems' in identities) throw new Error('age-keygen made no key')
      const { given, reason } = await openBytes(opener(identities), await readFile(file), [100_000])
      expect(reason).toBeUndefined()
      expect(given.equals(content)).toBe(true)
    }
  })

  itWithAge('finds that a file of ours was cut off', async () => {
    await using folder = await makeTempFolder('age')
    const key = makeKeyFile(join(folder.path, 'ann'))
    const file = await sealBytes(await sealerOf([key]), randomBytes(200_000))
    expect(spawnSync('age', ['-d', '-i', key.path], { input: file }).status).toBe(0)
    expect(spawnSync('age', ['-d', '-i', key.path], { input: file.subarray(0, -1) }).status).not.toBe(0)
  })
})

type KeyFile = { readonly path: string; readonly recipient: string }

function makeKeyFile(path: string): KeyFile {
  run('age-keygen', '-o', path)
  return { path, recipient: String(run('age-keygen', '-y', path)).trim() }
}

async function sealerOf(keys: readonly KeyFile[]) {
  const recipients = parseRecipients(keys.map(({ recipient }) => recipient).join('\n'))
  if ('problems' in recipients) throw new Error(JSON.stringify(recipients))
  const made = await sealer(recipients)
  if ('problems' in made) throw new Error(JSON.stringify(made))
  return made
}

function run(program: string, ...options: readonly string[]): Buffer {
  const { status, stdout, stderr } = spawnSync(program, options, { maxBuffer: 10_000_000 })
  if (status !== 0) throw new Error(`${program}: ${stderr}`)
  return stdout
}
