import { spawnSync } from 'node:child_process'

/** What some tests need of the machine that not every machine has. */
const needs = {
  'small disks': { means: 'Linux, and root or a sudo that asks for no password', here: mayMount },
  age: { means: 'the program age', here: () => runs('age', '--version') },
  zstd: { means: 'the program zstd', here: () => runs('zstd', '--version') },
  mkfifo: { means: 'the program mkfifo', here: () => runs('mkfifo', '--version') },
} as const

export type Need = keyof typeof needs

/** The needs that this machine does not meet, each with what it would take. */
export function missingHere(): Map<Need, string> {
  const names = Object.keys(needs) as Need[]
  return new Map(names.flatMap((name) => (needs[name].here() ? [] : [[name, needs[name].means] as const])))
}

function mayMount(): boolean {
  if (process.platform !== 'linux') return false
  return process.getuid?.() === 0 || runs('sudo', '-n', 'true')
}

function runs(program: string, ...options: string[]): boolean {
  return spawnSync(program, options, { stdio: 'ignore' }).status === 0
}
