import { PassThrough, Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { piecesOf } from '../../src/streams/pieces.ts'
import { collect, rejection } from '../support/feed.ts'

describe('piecesOf', () => {
  it('gives every byte in order, whatever the pieces', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ minLength: 1, maxLength: 20 })), async (pieces) => {
        const buffers = pieces.map((piece) => Buffer.from(piece))
        const given = await collect(piecesOf(Readable.from(buffers, { objectMode: false })))
        expect(Buffer.concat(given).toString('hex')).toBe(Buffer.concat(buffers).toString('hex'))
      }),
      { numRuns: 500 },
    )
  })

  it('gives the very pieces that came, also when several wait', async () => {
    const stream = new PassThrough()
    const pieces = [Buffer.from('a'), Buffer.from('bc'), Buffer.from('d')]
    for (const piece of pieces) stream.write(piece)
    stream.end()
    expect(await collect(piecesOf(stream))).toEqual(pieces)
  })

  it('makes the sender wait when nobody takes the pieces', async () => {
    let made = 0
    const endless = new Readable({
      read() {
        made++
        this.push(Buffer.alloc(64 * 1024))
      },
    })
    const pieces = piecesOf(endless)
    await pieces.next()
    for (let turn = 0; turn < 50; turn++) await setImmediate()
    expect(made).toBeLessThan(10)
    for (let piece = 0; piece < 20; piece++) await pieces.next()
    expect(made).toBeGreaterThan(20)
    endless.destroy()
  })

  it.each([
    { name: 'before anything came', before: 0 },
    { name: 'after some pieces', before: 3 },
  ])('throws the error of a stream that breaks $name', async ({ before }) => {
    const error = new RangeError('cut')
    const stream = new PassThrough()
    for (let piece = 0; piece < before; piece++) stream.write('x')
    const given = collect(piecesOf(stream))
    setTimeout(() => stream.destroy(error), 10)
    expect(await rejection(given)).toBe(error)
  })

  it('throws for a stream that was destroyed before anybody looked, and for one that is closed without an end', async () => {
    const error = new RangeError('cut')
    const broken = new PassThrough().on('error', () => undefined)
    broken.destroy(error)
    expect(await rejection(collect(piecesOf(broken)))).toBe(error)
    const closed = new PassThrough()
    setTimeout(() => closed.destroy(), 10)
    expect(await rejection(collect(piecesOf(closed)))).toMatchObject({ message: 'the stream was closed before its end' })
  })

  it('tells of the times in which there is nothing to give', async () => {
    const stream = new PassThrough()
    let waits = 0
    const given = collect(
      piecesOf(stream, async (work) => {
        waits++
        return await work()
      }),
    )
    await setImmediate()
    stream.end('x')
    expect(await given).toEqual([Buffer.from('x')])
    expect(waits).toBeGreaterThanOrEqual(1)
  })
})
