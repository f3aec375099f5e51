import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { makeDiskQueue } from '../../../src/snapshot/assets/queue.ts'
import { collect } from '../../support/feed.ts'
import { makeTempFolder } from '../../support/process.ts'

async function makeQueue() {
  const temp = await makeTempFolder('queue')
  const file = join(temp.path, 'queue')
  const queue = await makeDiskQueue<{ n: number; text: string }>(file)
  return {
    file,
    queue,
    [Symbol.asyncDispose]: async () => {
      await queue[Symbol.asyncDispose]()
      await temp[Symbol.asyncDispose]()
    },
  }
}

const items = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => ({ n: from + index, text: `ä\n${'x'.repeat(300)}` }))

describe('a queue on disk', () => {
  it('gives all items in their order, whoever was first: the one that adds or the one that takes', async () => {
    await using made = await makeQueue()
    await made.queue.push(items(0, 1000))
    const taken = collect(made.queue.items())
    for (let from = 1000; from < 2000; from += 100) await made.queue.push(items(from, from + 100))
    made.queue.end()
    expect((await taken).map(({ n }) => n)).toEqual([...Array(2000).keys()])
  })

  it('keeps what waits on disk', async () => {
    await using made = await makeQueue()
    await made.queue.push(items(0, 1000))
    expect((await stat(made.file)).size).toBeGreaterThan(300_000)
  })

  it('waits for what is still to come, and ends when it is told that nothing will', async () => {
    await using made = await makeQueue()
    const source = made.queue.items()
    const first = source.next()
    await made.queue.push(items(7, 8))
    expect((await first).value?.n).toBe(7)
    const waiting = [source.next(), source.next()]
    made.queue.end()
    expect((await Promise.all(waiting)).map(({ done }) => done)).toEqual([true, true])
  })

  it('takes nothing for an item when nothing is added', async () => {
    await using made = await makeQueue()
    await made.queue.push([])
    made.queue.end()
    expect(await collect(made.queue.items())).toEqual([])
  })
})
