import type { Answer } from '../http.ts'
import { rateLimited } from './answers.ts'

/** sanity.io docs, technical limits. */
export type Limits = {
  /** Mutations (INFERRED: and actions) a client address a second, and uploads likewise. */
  readonly perSecond: number
  /** How many of them may come at once. Default: those of a second. */
  readonly burst?: number
  /** Mutations at the same time in a dataset. */
  readonly concurrent: number
}

export const realLimits: Limits = { perSecond: 25, concurrent: 100 }

type Pass =
  | { readonly refused: Answer }
  | { readonly refused?: undefined; done(): void; readonly headers: Readonly<Record<string, string>> }

export type Limiter = { enter(request: { address: string; kind: 'mutation' | 'upload'; dataset: string }): Pass }

/** Lets everything through without limits. The headers of answers: sanity-io/client issue 942. */
export function makeLimiter(limits: Limits | undefined): Limiter {
  const buckets = new Map<string, { tokens: number; at: number }>()
  const running = new Map<string, number>()
  if (!limits) return { enter: () => ({ done: () => {}, headers: {} }) }
  return {
    enter({ address, kind, dataset }) {
      const now = performance.now()
      const key = `${kind} ${address}`
      const size = limits.burst ?? limits.perSecond
      const bucket = buckets.get(key) ?? { tokens: size, at: now }
      const tokens = Math.min(size, bucket.tokens + ((now - bucket.at) / 1000) * limits.perSecond)
      const current = running.get(dataset) ?? 0
      const allowed = tokens >= 1 && (kind === 'upload' || current < limits.concurrent)
      buckets.set(key, { tokens: allowed ? tokens - 1 : tokens, at: now })
      if (!allowed) return { refused: rateLimited(1) }
      if (kind === 'mutation') running.set(dataset, current + 1)
      return {
        done: () => kind === 'mutation' && running.set(dataset, (running.get(dataset) ?? 1) - 1),
        headers: {
          'ratelimit-limit': String(limits.perSecond),
          'ratelimit-remaining': String(Math.floor(tokens - 1)),
          'ratelimit-reset': '1',
        },
      }
    },
  }
}
