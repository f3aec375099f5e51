import type { Digest } from '../streams/digest.ts'
import { digester } from '../streams/digest.ts'
import type { Plan, Row } from './plan.ts'

/** A row as a line of the plan's file, without its line feed. */
function rowLine({ action, id, type, reason }: Row): string {
  return JSON.stringify({ action, id, type, ...(reason === undefined ? {} : { reason }) })
}

/** The lines of a plan as its file holds them, sorted, and their digest: equal for two plans that would do the same. */
export function planFile({ rows }: Plan): { readonly lines: readonly string[]; readonly digest: Digest } {
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
