import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { describe, expect } from '@jest/globals'
import { smallDisk, sweepDisks } from './disk.ts'
import { onMachinesWith } from './on-machines-with.ts'
import { runPeer } from './process.ts'

const isMounted = (path: string): boolean => readFileSync('/proc/mounts', 'utf8').includes(` ${path} `)

describe('a small disk', () => {
  onMachinesWith('small disks')('is unmounted when it is disposed', async () => {
    const disk = await smallDisk(64 * 1024)
    expect(isMounted(disk.path)).toBe(true)
    await disk[Symbol.asyncDispose]()
    expect(isMounted(disk.path)).toBe(false)
  })

  onMachinesWith('small disks')('that a run left which is over is unmounted by the next one, and no other', async () => {
    await using ours = await smallDisk(64 * 1024)
    const { stdout: left, exitCode } = await runPeer(new URL('../peers/mount.ts', import.meta.url), { bytes: 64 * 1024 })
    expect({ exitCode, mounted: isMounted(left) }).toEqual({ exitCode: 0, mounted: true })
    sweepDisks()
    expect([isMounted(left), isMounted(ours.path)]).toEqual([false, true])
    await rm(dirname(left), { recursive: true })
  })
})
