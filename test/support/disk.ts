import { spawnSync } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { makeTempFolder } from './process.ts'

/**
 * Mounts a file system in memory with room for so many bytes, in whole pages of 4 KiB, and so many files, its root among them, at an empty folder of its own or at the given one. Disposing
 * it unmounts it. Throws where that is not allowed: mounting takes root, or a `sudo` that asks for no password.
 */
export async function smallDisk(
  bytes: number,
  { at, inodes }: { at?: string; inodes?: number } = {},
): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await makeTempFolder('disk')
  const path = at ?? join(folder.path, 'disk')
  await mkdir(path, { recursive: true })
  const owner = `uid=${process.getuid?.()},gid=${process.getgid?.()}`
  try {
    asRoot('mount', '-t', 'tmpfs', '-o', `size=${bytes},${owner}${inodes === undefined ? '' : `,nr_inodes=${inodes}`}`, 'tmpfs', path)
  } catch (error) {
    await folder[Symbol.asyncDispose]()
    throw error
  }
  return {
    path,
    async [Symbol.asyncDispose]() {
      // A test that failed may have left a file open.
      asRoot('umount', '--lazy', path)
      await folder[Symbol.asyncDispose]()
    },
  }
}

function asRoot(...command: string[]): void {
  const [program = '', ...args] = process.getuid?.() === 0 ? command : ['sudo', '-n', ...command]
  const { status, error, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`"${command.join(' ')}" needs root, or a sudo without a password: ${error?.message ?? stderr}`)
}
