import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from '@jest/globals'
import { slots } from '../../src/streams/slots.ts'

describe('slots', () => {
  test('no more are taken at a time than there are, in the order asked for', async () => {
    const open = slots(2)
    const order: string[] = []
    let now = 0
    let most = 0
    const use = async (name: string): Promise<void> => {
      using slot = open()
      await slot.take()
      order.push(name)
      most = Math.max(most, ++now)
      await turn()
      now--
    }
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map(use))
    expect({ order: order.join(''), most }).toEqual({ order: 'abcde', most: 2 })
  })

  test('one that is left can be taken by the next, and once more by the same', async () => {
    const open = slots(1)
    const [first, second] = [open(), open()]
    await first.take()
    await first.take()
    let isTaken = false
    const taking = second.take().then(() => {
      isTaken = true
    })
    await turn()
    expect(isTaken).toBe(false)
    first.leave()
    first.leave()
    await taking
    const again = first.take()
    second[Symbol.dispose]()
    await again
    first.leave()
    await second.take()
  })
})
