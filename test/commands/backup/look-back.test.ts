import { describe, expect, it } from '@jest/globals'
import { lookBack } from '../../../src/commands/backup/look-back.ts'
import type { Destination, Found } from '../../../src/destinations/destination.ts'
import { BackupError, type ErrorCode } from '../../../src/errors.ts'
import { exampleManifest } from '../../support/example.ts'

const older = { ...exampleManifest, snapshot: 'older', takenAt: '2026-11-20T08:15:00Z' }
const failure = (code: ErrorCode) => new BackupError({ code, title: 't', message: 'm', hint: 'h' })
const calm = new AbortController().signal

/** A destination that holds these, and counts how often it is looked at. */
function holding(kind: Destination['kind'], found: readonly Pick<Found, 'manifest' | 'keptUntil'>[] | Error) {
  const looks = { count: 0 }
  const destination: Destination = {
    kind,
    reader: {
      newestFirst: async function* () {
        looks.count++
        if (found instanceof Error) throw found
        yield* found as readonly Found[]
      },
      whyNone: async () => 'nothing',
    },
    check: async () => undefined,
    prepare: async () => undefined,
    store: async () => {
      throw new Error('nothing is stored here')
    },
    [Symbol.dispose]: () => undefined,
  }
  return { destination, looks }
}

describe('the last good snapshot after a failure', () => {
  it('is the newest of all destinations, with the day on which it goes', async () => {
    const artifact = holding('artifact', [{ manifest: exampleManifest, keptUntil: '2026-12-28T00:00:00Z' }])
    const directory = holding('directory', [{ manifest: older }])
    const past = lookBack([directory.destination, artifact.destination], exampleManifest)
    expect(await past.lastGood(failure('sanity-forbidden'), calm)).toEqual({ manifest: exampleManifest, keptUntil: '2026-12-28T00:00:00Z' })
  })

  it('is not looked up a second time', async () => {
    const { destination, looks } = holding('branch', [{ manifest: older }])
    const past = lookBack([destination], exampleManifest)
    await past.at(destination)
    expect((await past.lastGood(failure('dataset-shrunk'), calm))?.manifest.snapshot).toBe('older')
    expect(looks.count).toBe(1)
  })

  it.each([
    { name: 'inputs that are not valid', kind: 'artifact', error: failure('input-invalid'), signal: calm },
    { name: 'a run that was cancelled', kind: 'artifact', error: failure('cancelled'), signal: AbortSignal.abort() },
    { name: 'a branch that would have to be fetched', kind: 'branch', error: failure('sanity-forbidden'), signal: calm },
  ] as const)('is not looked up for $name', async ({ kind, error, signal }) => {
    const { destination, looks } = holding(kind, [{ manifest: older }])
    expect(await lookBack([destination], exampleManifest).lastGood(error, signal)).toBeUndefined()
    expect(looks.count).toBe(0)
  })

  it('is unknown where it cannot be looked up', async () => {
    const { destination } = holding('artifact', new TypeError('broken'))
    expect(await lookBack([destination], exampleManifest).lastGood(failure('sanity-forbidden'), calm)).toBeUndefined()
  })
})
