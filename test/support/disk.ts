import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { makeTempFolder } from './process.ts'

/** The device name of each disk goes on with the process id of the run that it belongs to. Jest's workers are told that of the whole run. */
const DEVICE = 'sanity-backup-test-'

/**
 * Mounts a file system in memory with room for so many bytes, in whole pages of 4 KiB, and so many files, its root among them, at an empty folder of its own or at the given one. Disposing
 * it unmounts it; what a killed run left mounted is unmounted by the next one. Throws where that is not allowed: mounting takes root, or a `sudo`
 * that asks for no password.
 */
export async function smallDisk(
  bytes: number,
  { at, inodes }: { at?: string; inodes?: number } = {},
): Promise<AsyncDisposable & { readonly path: string }> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await makeTempFolder('disk'))
  const path = at ?? join(folder.path, 'disk')
  await mkdir(path, { recursive: true })
  const owner = `uid=${process.getuid?.()},gid=${process.getgid?.()}`
  const size = `size=${bytes},${owner}${inodes === undefined ? '' : `,nr_inodes=${inodes}`}`
  asRoot('mount', '-t', 'tmpfs', '-o', size, `${DEVICE}${process.env['TEST_RUN_PID'] ?? process.pid}`, path)
  stack.defer(() => unmount(path))
  const owned = stack.move()
  return { path, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** Unmounts the disks of runs that are over and, with `own`, those of this one. */
export function sweepDisks({ own = false } = {}): void {
  for (const { device, path } of mounts()) {
    if (!device.startsWith(DEVICE)) continue
    const pid = Number(device.slice(DEVICE.length))
    if (pid === process.pid ? own : !isAlive(pid)) unmount(path)
  }
}

function mounts(): { readonly device: string; readonly path: string }[] {
  if (process.platform !== 'linux') return []
  const lines = readFileSync('/proc/mounts', 'utf8').trim().split('\n')
  return lines.map((line) => {
    const [device = '', path = ''] = line.split(' ')
    return { device, path: path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))) }
  })
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function unmount(path: string): void {
  // A test that failed may have left a file open.
  asRoot('umount', '--lazy', path)
}

function asRoot(...command: string[]): void {
  const [program = '', ...args] = process.getuid?.() === 0 ? command : ['sudo', '-n', ...command]
  const { status, error, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`"${command.join(' ')}" needs root, or a sudo without a password: ${error?.message ?? stderr}`)
}
