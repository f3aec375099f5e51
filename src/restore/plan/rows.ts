import type { Digest } from '../../streams/digest.ts'
import { digester } from '../../streams/digest.ts'
import type { Plan, Row } from './plan.ts'

/**
 * The lines of a plan as its file holds them, without their line feeds, sorted, and their digest: equal for two plans that would do the same. `clean` makes
 * text harmless that came from outside: somebody may have given a document a secret as its id.
 */
export function planFile({ rows }: Plan, clean: (text: string) => string): { readonly lines: readonly string[]; readonly digest: Digest } {
  const types = new Map<string, string>()
  const cleanType = (type: string): string => {
    const known = types.get(type) ?? clean(type)
    types.set(type, known)
    return known
  }
  const rowLine = ({ action, id, type, reason }: Row): string =>
    JSON.stringify({ action, id: clean(id), type: cleanType(type), ...(reason === undefined ? {} : { reason: clean(reason) }) })
  const lines = rows.map(rowLine).sort()
  const all = digester()
  for (const line of lines) all.update(Buffer.from(`${line}\n`))
  return { lines, digest: all.result().digest }
}

/** How many rows of each action a plan has. */
export function countRows({ rows }: Pick<Plan, 'rows'>): Record<Row['action'], number> {
  const counts = { create: 0, replace: 0, delete: 0, upload: 0, blocked: 0 }
  for (const { action } of rows) counts[action]++
  return counts
}

/** Whether nothing is to be restored, not because it is there already but because nothing was chosen. */
export function isOfNothing({ rows, unchanged }: Pick<Plan, 'rows' | 'unchanged'>): boolean {
  return rows.length === 0 && unchanged === 0
}
