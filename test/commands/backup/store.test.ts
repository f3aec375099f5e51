import { describe, expect, it } from '@jest/globals'
import { storeEverywhere, storeSnapshot } from '../../../src/commands/backup/store.ts'
import type { Destination, FinishedSnapshot, Stored } from '../../../src/destinations/destination.ts'
import { BackupError } from '../../../src/errors.ts'
import { rejection } from '../../streams/feed.ts'

// The destinations here are handed in; none looks at it.
const snapshot = {} as FinishedSnapshot
const kept: Stored = { kind: 'artifact', name: 'nightly', id: 7, url: 'https://github.com/acme/site', sizeBytes: 1 }
const eio = Object.assign(new Error('EIO: i/o error, write'), { code: 'EIO' })

function destination(kind: Destination['kind'], store: Destination['store']): Destination {
  return {
    kind,
    reader: { newestFirst: async function* () {}, whyNone: async () => '' },
    check: async () => undefined,
    prepare: async () => undefined,
    store,
    [Symbol.dispose]: () => undefined,
  }
}

const failing = (kind: Destination['kind'], error: unknown) =>
  destination(kind, async () => {
    throw error
  })
const good = destination('artifact', async () => kept)

function tools(signal = new AbortController().signal) {
  return {
    signal,
    path: '/backups',
    log: { info: () => undefined, warning: () => undefined, debug: () => undefined, progress: () => undefined },
  }
}

describe('storing at several destinations', () => {
  it.each([
    { name: 'a bug', error: new TypeError('x is not a function'), code: 'unexpected', says: 'x is not a function' },
    { name: 'a disk that failed', error: eio, code: 'unexpected', says: 'The disk of "/backups" could not read or write' },
    { name: 'no error at all', error: undefined, code: 'unexpected', says: 'undefined' },
  ])('keeps what one holds when the next fails in a way that nobody foresaw: $name', async ({ error, code, says }) => {
    const { stored, failure } = await storeEverywhere([good, failing('directory', error)], snapshot, tools())
    expect(stored).toEqual([kept])
    expect(failure).toMatchObject({ code, message: expect.stringContaining(says) })
  })

  it('tries the next one after such a failure, and tells of the first', async () => {
    const places = [failing('artifact', new TypeError('first')), failing('directory', eio), destination('branch', async () => kept)]
    const { stored, failure } = await storeEverywhere(places, snapshot, tools())
    expect(stored).toEqual([kept])
    expect(failure?.message).toContain('first')
  })

  it('throws it where nothing was stored', async () => {
    expect(await rejection(storeEverywhere([failing('artifact', eio)], snapshot, tools()))).toMatchObject({ title: 'The disk failed' })
  })

  it('tells the reason of a run that was cancelled, not what broke with it', async () => {
    const reason = new BackupError({ code: 'cancelled', title: 'x', message: 'y', hint: 'z' })
    const places = [good, failing('directory', new Error('aborted'))]
    const controller = new AbortController()
    const cancelling = destination('artifact', async () => {
      controller.abort(reason)
      return kept
    })
    const { stored, failure } = await storeEverywhere([cancelling, ...places], snapshot, tools(controller.signal))
    expect({ stored, failure }).toEqual({ stored: [kept], failure: reason })
  })
})

describe('storing a snapshot that lacks files of assets', () => {
  const missingError = new BackupError({ code: 'asset-missing', title: '1 asset could not be saved', message: 'image-a (404).', hint: 'h' })
  const full = new BackupError({ code: 'artifact-quota', title: 'No room', message: 'The quota is used up.', hint: 'h' })

  it('fails the run though it is stored', async () => {
    const { stored, failure } = await storeSnapshot(snapshot, { destinations: [good], missingError, path: '/backups' }, tools())
    expect({ stored, failure }).toEqual({ stored: [kept], failure: missingError })
  })

  it('says of one that could not be kept either what is missing, and why it was not kept', async () => {
    const needs = { destinations: [failing('artifact', full)], missingError, path: '/backups' }
    expect(await rejection(storeSnapshot(snapshot, needs, tools()))).toMatchObject({
      code: 'asset-missing',
      message: 'image-a (404).\nWhat was saved could not be kept: No room: The quota is used up.',
      cause: full,
    })
  })

  it('says that the run was cancelled, if it was', async () => {
    const reason = new BackupError({ code: 'cancelled', title: 'x', message: 'y', hint: 'z' })
    const needs = { destinations: [good], missingError, path: '/backups' }
    expect(await rejection(storeSnapshot(snapshot, needs, tools(AbortSignal.abort(reason))))).toBe(reason)
  })
})

it('stores nowhere what one of the destinations refuses beforehand', async () => {
  const refusal = new BackupError({ code: 'branch-too-large', title: 'x', message: 'y', hint: 'z' })
  const stored: string[] = []
  const first = destination('artifact', async () => {
    stored.push('artifact')
    return kept
  })
  const refusing: Destination = {
    ...good,
    prepare: async () => {
      throw refusal
    },
  }
  const needs = { destinations: [first, refusing], missingError: undefined, path: '/backups' }
  expect(await rejection(storeSnapshot(snapshot, needs, tools()))).toBe(refusal)
  expect(stored).toEqual([])
})
