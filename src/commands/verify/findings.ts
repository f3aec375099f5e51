import type { Chosen } from '../../destinations/choose.ts'
import type { Fetched, Level } from '../../destinations/destination.ts'
import { checkSnapshot } from '../../snapshot/read/check.ts'
import type { Tools } from '../../tools.ts'

export type VerifyFinding = {
  readonly kind: string
  readonly severity: 'error' | 'warning'
  readonly message: string
  readonly path?: string
}

type Look = {
  readonly chosen: Chosen
  readonly fetched: readonly Fetched[]
  readonly level: Level
  readonly maxAgeHours: number | undefined
}

export async function findWrong({ chosen, fetched, level }: Look, { signal }: Tools): Promise<VerifyFinding[]> {
  const [part] = fetched
  return (await checkSnapshot(part?.folder ?? '', { level, manifestBytes: chosen.main.manifestBytes, signal })).map((f) => ({
    ...f,
    severity: 'error',
  }))
}
