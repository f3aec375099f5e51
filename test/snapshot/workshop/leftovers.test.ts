import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { showAtWork, sweepLeftovers } from '../../../src/snapshot/workshop/leftovers.ts'
import { smallDisk } from '../../support/disk.ts'
import { onMachinesWith } from '../../support/on-machines-with.ts'
import { makeTempFolder } from '../../support/process.ts'

const name = 'abc12345-production-20261122T081500Z'

describe('sweepLeftovers', () => {
  const now = new Date('2026-11-22T09:00:00Z')

  it('removes at once what a run left that was killed here, also when its number was given out again', async () => {
    await using temp = await makeTempFolder()
    const { owner } = await runElsewhere(temp.path)
    for (const [index, left] of [owner, { ...owner, pid: process.ppid }, { ...owner, pid: process.pid }].entries()) {
      await workshop(temp.path, { owner: left, madeAt: now, name: `${name}-${index}` })
    }
    expect((await sweepLeftovers(temp.path, now)).length).toBe(3)
    expect(await readdir(temp.path)).toEqual([])
  })

  it.each(['restore', 'verify'])('removes what is named by chance, since nobody is to see it: of %s', async (command) => {
    await using temp = await makeTempFolder()
    const { owner } = await runElsewhere(temp.path)
    const unseen = `${command}-0f5cbb38-26e4-4f1c-9b0e-2d6f0f5a7c11`
    await workshop(temp.path, { owner, madeAt: now, name: unseen })
    expect(await sweepLeftovers(temp.path, now)).toEqual([`${unseen}.partial`])
  })

  it('leaves a run alone that goes on here, however long it has shown nothing', async () => {
    await using temp = await makeTempFolder()
    await using _ = await runElsewhere(temp.path, { goesOn: true })
    await utimes(join(temp.path, `${name}.partial`, 'owner.json'), new Date(0), new Date(0))
    expect(await sweepLeftovers(temp.path, now)).toEqual([])
    expect(await readdir(temp.path)).toEqual([`${name}.partial`])
  })

  it.each([
    { what: 'of another container with this host name', change: (place: string) => place.replace(/pid:\[\d+\]$/, 'pid:[1]') },
    { what: 'of another machine', change: (place: string) => place.replace(/^\S+/, 'another-machine') },
    { what: 'of this machine before it was started anew', change: (place: string) => place.replace(/ \S+ /, ' another-boot ') },
    { what: 'of a system that tells nothing', change: () => undefined },
  ])('leaves the workshop $what alone until it has been silent for half an hour', async ({ change }) => {
    await using temp = await makeTempFolder()
    const { owner } = await runElsewhere(temp.path)
    const place = change(owner.place)
    expect(place).not.toBe(owner.place)
    await workshop(temp.path, { owner: { ...owner, place }, madeAt: new Date(now.getTime() - 29 * 60_000) })
    expect(await sweepLeftovers(temp.path, now)).toEqual([])
    await workshop(temp.path, { owner: { ...owner, place }, madeAt: new Date(now.getTime() - 31 * 60_000) })
    expect(await sweepLeftovers(temp.path, now)).toEqual([`${name}.partial`])
    expect(await readdir(temp.path)).toEqual([])
  })

  it('waits with one whose owner cannot be read, too', async () => {
    await using temp = await makeTempFolder()
    await workshop(temp.path, { owner: undefined, madeAt: new Date(now.getTime() - 29 * 60_000) })
    expect(await sweepLeftovers(temp.path, now)).toEqual([])
    await workshop(temp.path, { owner: undefined, madeAt: new Date(now.getTime() - 31 * 60_000) })
    expect(await sweepLeftovers(temp.path, now)).toEqual([`${name}.partial`])
  })

  it('removes one whose run was killed while it wrote whose it is', async () => {
    await using temp = await makeTempFolder()
    await mkdir(join(temp.path, `${name}.partial`))
    await writeFile(join(temp.path, `${name}.partial`, 'owner.json.new'), '{"ho')
    expect(await sweepLeftovers(temp.path, now)).toEqual([`${name}.partial`])
    expect(await readdir(temp.path)).toEqual([])
  })

  onMachinesWith('small disks')(
    'removes last what says whose it was, so that the next run can go on with one that could not be removed',
    async () => {
      await using temp = await makeTempFolder()
      const { owner } = await runElsewhere(temp.path)
      await workshop(temp.path, { owner, madeAt: new Date(now.getTime() - 60_000) })
      {
        // Nobody can remove a folder on which something is mounted.
        await using _ = await smallDisk(64 * 1024, { at: join(temp.path, `${name}.partial`, 'scratch') })
        expect(await sweepLeftovers(temp.path, now)).toEqual([])
        expect(await readdir(join(temp.path, `${name}.partial`))).toContain('owner.json')
      }
      expect(await sweepLeftovers(temp.path, now)).toEqual([`${name}.partial`])
    },
  )

  it('removes one that is still empty: its run was killed before it could say whose it is', async () => {
    await using temp = await makeTempFolder()
    await mkdir(join(temp.path, `${name}.partial`))
    expect(await sweepLeftovers(temp.path, now)).toEqual([`${name}.partial`])
  })

  it('leaves everything alone that is no workshop of ours', async () => {
    await using temp = await makeTempFolder()
    await mkdir(join(temp.path, name))
    await mkdir(join(temp.path, 'my-notes.partial'))
    await mkdir(join(temp.path, `${name}-other.partial`, 'of-somebody'), { recursive: true })
    const before = await readdir(temp.path)
    expect(await sweepLeftovers(temp.path, now)).toEqual([])
    expect(await readdir(temp.path)).toEqual(before)
  })

  it('finds nothing in a folder that is not there', async () => {
    expect(await sweepLeftovers('/nowhere/at/all', now)).toEqual([])
  })

  it('sees by the time of the owner file that a run goes on', async () => {
    await using temp = await makeTempFolder()
    const { owner } = await runElsewhere(temp.path)
    await workshop(temp.path, { owner: { ...owner, place: undefined }, madeAt: new Date(0) })
    const file = join(temp.path, `${name}.partial`, 'owner.json')
    using _ = showAtWork(join(temp.path, `${name}.partial`), 5)
    while ((await stat(file)).mtimeMs === 0) await sleep(5)
    expect(await sweepLeftovers(temp.path, new Date())).toEqual([])
  })

  async function workshop(path: string, { owner, madeAt, name: its = name }: { owner: object | undefined; madeAt: Date; name?: string }) {
    const folder = join(path, `${its}.partial`)
    await mkdir(join(folder, 'snapshot'), { recursive: true })
    await writeFile(join(folder, 'snapshot', 'data.ndjson.gz.partial'), 'half')
    await writeFile(join(folder, 'owner.json'), owner ? JSON.stringify(owner) : '{"pl')
    await utimes(join(folder, 'owner.json'), madeAt, madeAt)
  }
})

type Elsewhere = AsyncDisposable & { readonly owner: { readonly place: string; readonly pid: number; readonly started: string } }

/** Another process that makes a workshop. Unless it goes on it is killed, and what it wrote into the folder is read and removed. */
async function runElsewhere(path: string, { goesOn = false } = {}): Promise<Elsewhere> {
  const source = new URL('../../../src/snapshot/workshop/workshop.ts', import.meta.url).href
  const script = `import { makeWorkshop } from '${source}'
    await makeWorkshop(${JSON.stringify({ path, name })})
    console.log('made')
    setInterval(() => undefined, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  const end = async () => {
    const closed = once(child, 'close')
    if (child.kill('SIGKILL')) await closed
  }
  const folder = join(path, `${name}.partial`)
  const owner = JSON.parse(await readFile(join(folder, 'owner.json'), 'utf8')) as Elsewhere['owner']
  if (!goesOn) {
    await end()
    await rm(folder, { recursive: true })
  }
  return { owner, [Symbol.asyncDispose]: end }
}
