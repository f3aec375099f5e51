import { existsSync, readdirSync, rmSync } from 'node:fs'
import { readdir, readFile, readlink, rename, rm, rmdir, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

/** Whose a workshop is, whether that run still goes on, and the end of those that killed runs left. */

const ownerFile = 'owner.json'
/** Its name until it is written: killed in between, a run must not seem to be one that nobody can tell of. */
const newOwnerFile = `${ownerFile}.new`

/** A run shows that it goes on by giving its owner file the time of day, every so many milliseconds. */
const beatMs = 60_000
/** What has shown nothing for so long is a leftover, wherever its run was. */
const silentMs = 30 * beatMs

/**
 * The process that a workshop belongs to. Process ids are only the same ones for those who share a `place`: containers have one host, often one
 * host name, and each its own ids.
 */
type Owner = {
  /** Host name, boot and process namespace; undefined where the system does not tell them. */
  readonly place: string | undefined
  readonly pid: number
  /** When the process began, as its system counts: ids are given out again. */
  readonly started: string | undefined
}

/** Says in the workshop whose it is. */
export async function writeOwner(workshop: string): Promise<void> {
  const owner: Owner = { place: await findPlace(), pid: process.pid, started: await findStart(process.pid) }
  await writeFile(join(workshop, newOwnerFile), JSON.stringify(owner), { mode: 0o600 })
  await rename(join(workshop, newOwnerFile), join(workshop, ownerFile))
}

/** Whether a workshop says whose it is. */
export function hasOwner(workshop: string): boolean {
  return existsSync(join(workshop, ownerFile))
}

/** Shows others that the run goes on, until it is disposed. */
export function showAtWork(workshop: string, everyMs = beatMs): Disposable {
  const beat = async () => {
    const time = new Date()
    // A beat that is missed does no harm, and the workshop may be gone.
    await utimes(join(workshop, ownerFile), time, time).catch(() => undefined)
  }
  const timer = setInterval(() => void beat(), everyMs).unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

/** Who is killed in the middle of this leaves a workshop that still says whose it was, or an empty one. */
export function emptyAndRemove(workshop: string): void {
  const options = { recursive: true, force: true, maxRetries: 3 } as const
  const names = existsSync(workshop) ? readdirSync(workshop) : []
  for (const name of names.filter((each) => each !== ownerFile)) rmSync(join(workshop, name), options)
  rmSync(workshop, options)
}

/**
 * Removes the workshops that killed runs left below `path`, and gives their names. One whose run may still go on is left alone, as is every
 * folder that is not a workshop of ours.
 */
export async function sweepLeftovers(path: string, now: Date): Promise<string[]> {
  const names = await readdir(path).catch(() => [])
  const swept: string[] = []
  for (const name of names.filter((each) => workshopRule.test(each))) {
    if (await sweep(join(path, name), now)) swept.push(name)
  }
  return swept
}

/** They are named after the moment of a snapshot, or by chance where nobody is to see them. */
const workshopRule = /-(\d{8}T\d{6}Z(-[A-Za-z0-9._-]+)?|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})\.partial$/

async function sweep(workshop: string, now: Date): Promise<boolean> {
  try {
    const owner = await findOwner(workshop)
    // Killed before it could say whose it is: then nothing else is in it. A run that comes to say it in this moment takes another name.
    if (owner === undefined) {
      await rm(join(workshop, newOwnerFile), { force: true })
      await rmdir(workshop)
    } else if (await mayBeAlive(owner, workshop, now)) return false
    else emptyAndRemove(workshop)
    return true
  } catch {
    return false
  }
}

/** Undefined if there is none; one that nothing can be known of if what is there cannot be read. */
async function findOwner(workshop: string): Promise<Owner | undefined> {
  const text = await readFile(join(workshop, ownerFile), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    const { place, pid, started } = JSON.parse(text) as Partial<Owner>
    return { place, pid: Number(pid), started }
  } catch {
    return { place: undefined, pid: Number.NaN, started: undefined }
  }
}

async function mayBeAlive({ place, pid, started }: Owner, workshop: string, now: Date): Promise<boolean> {
  // Here it can be known: the process that made it is there, or it is not. This one has only just begun.
  if (place !== undefined && place === (await findPlace()) && started !== undefined) {
    return pid !== process.pid && started === (await findStart(pid))
  }
  const { mtimeMs } = await stat(join(workshop, ownerFile))
  return now.getTime() - mtimeMs <= silentMs
}

/** Undefined where the system does not tell: then only silence says that a run is gone. */
async function findPlace(): Promise<string | undefined> {
  try {
    // Of another namespace’s processes it would tell under the wrong ids.
    if ((await readlink('/proc/self')) !== String(process.pid)) return undefined
    const [boot, namespace] = await Promise.all([readFile('/proc/sys/kernel/random/boot_id', 'utf8'), readlink('/proc/self/ns/pid')])
    return `${hostname()} ${boot.trim()} ${namespace}`
  } catch {
    return undefined
  }
}

/** When a process began: the 22nd field of its line (proc_pid_stat(5)). Undefined if none of this id goes on, or the system does not tell. */
async function findStart(pid: number): Promise<string | undefined> {
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  // The second field is the program's name in parentheses, and may hold anything.
  const [state = '', ...others] = line?.slice(line.lastIndexOf(')') + 2).split(' ') ?? []
  // One that was killed is listed until its parent has heard of it.
  return 'ZX'.includes(state) ? undefined : others[18]
}
