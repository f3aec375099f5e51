import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { smallDisk, sweepDisks } from './disk.ts'
import { runPeer } from './process.ts'

const isMounted = (path: string): boolean => readFileSync('/proc/mounts', 'utf8').includes(` ${path} `)

describe('a small disk', () => {
  it('is unmounted when it is disposed', async () => {
    const disk = await smallDisk(64 * 1024)
    expect(isMounted(disk.path)).toBe(true)
    await disk[Symbol.asyncDispose]()
    expect(isMounted(disk.path)).toBe(false)
  })

  it('that a run left which is over is unmounted by the next one, and no other', async () => {
    await using ours = await smallDisk(64 * 1024)
    const { stdout: left, exitCode } = await runPeer(new URL('../peers/mount.ts', import.meta.url), { bytes: 64 * 1024 })
    expect({ exitCode, mounted: isMounted(left) }).toEqual({ exitCode: 0, mounted: true })
    sweepDisks()
    expect([isMounted(left), isMounted(ours.path)]).toEqual([false, true])
    await rm(dirname(left), { recursive: true })
  })
})
