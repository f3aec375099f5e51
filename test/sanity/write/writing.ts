import { setTimeout as sleep } from 'node:timers/promises'
import type { Wait } from '../../../src/http/retry.ts'
import { type WriteApi, writeApi } from '../../../src/sanity/write/write.ts'
import type { Sanity } from '../../doubles/sanity/sanity.ts'
import { apiAt, type Client } from '../../support/ask.ts'

export const transactionId = 'b7a4e3f0-5b6c-4f1e-9a55-0c7f3a1d2e4b'

/** What a test sees of a {@link WriteApi} beside its results. Its clock goes on only while something waits. */
export type Writing = {
  readonly write: WriteApi
  /** The waits between tries and for a turn, in milliseconds. */
  readonly waits: number[]
  readonly logged: string[]
  readonly conflicts: () => number
}

type Options = {
  readonly token?: string
  readonly signal?: AbortSignal
  /** In the place of the one that lets the time of the clock pass at once. */
  readonly wait?: Wait
}

/** Writes into this Sanity as an editor, without ever waiting for real. */
export function writingTo(
  sanity: Pick<Sanity, 'url'> & Partial<Pick<Sanity, 'editorToken'>>,
  client: Pick<Client, 'http'>,
  options: Options = {},
): Writing {
  const { token = sanity.editorToken ?? 'sk', signal = new AbortController().signal } = options
  const waits: number[] = []
  const logged: string[] = []
  let nowMs = 0
  let conflicts = 0
  const write = writeApi(apiAt(sanity.url, client, { token, signal }), {
    wait: async (ms, stop) => {
      stop.throwIfAborted()
      waits.push(ms)
      if (options.wait) return await options.wait(ms, stop)
      nowMs += ms
      await sleep(0)
    },
    clock: () => nowMs,
    signal,
    log: { info: (line) => void logged.push(line) },
    onConflict: () => void conflicts++,
  })
  return { write, waits, logged, conflicts: () => conflicts }
}

export const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
