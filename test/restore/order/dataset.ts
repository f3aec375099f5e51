import type { OrderNeeds, Step, Write } from '../../../src/restore/order/order.ts'
import type { Content, Side } from './server.ts'

/** What becomes of a document, with its references on both sides: `creates` have none in the target, `deletes` none in the snapshot. */
export type Row = {
  readonly is: 'creates' | 'replaces' | 'retypes' | 'deletes' | 'stays'
  readonly snapshot?: readonly number[]
  readonly target?: readonly number[]
  readonly size?: number
}

/** A snapshot and a target, a row for each document number. */
export type Dataset = { readonly needs: OrderNeeds; readonly snapshot: Side; readonly target: Side; readonly count: number }

export function datasetOf(rows: readonly Row[]): Dataset {
  const having = (is: Row['is']): number[] => rows.flatMap((row, document) => (row.is === is ? [document] : []))
  const content = (text: 'snapshot' | 'target', document: number): Content | undefined => {
    const row = rows[document]
    if (!row || row.is === (text === 'snapshot' ? 'deletes' : 'creates')) return undefined
    const side = row.is === 'stays' ? 'target' : text
    return { text: side, type: row.is === 'retypes' ? text : 'page', strong: [...new Set(row[side])], weak: [] }
  }
  return {
    needs: {
      creates: having('creates'),
      replaces: having('replaces'),
      retypes: having('retypes'),
      deletes: having('deletes'),
      refersInSnapshot: (document) => rows[document]?.snapshot ?? [],
      refersInTarget: (document) => rows[document]?.target ?? [],
      size: (document) => {
        if (rows[document]?.is === 'deletes') throw new Error('the snapshot has no such line')
        return rows[document]?.size ?? 1
      },
    },
    snapshot: (document) => content('snapshot', document),
    target: (document) => content('target', document),
    count: rows.length,
  }
}

/** Steps as text, a line each: `create: stub 0, stub 1, fill 0, fill 1 | create 2`. */
export const shown = (steps: readonly Step[]): string[] =>
  steps.map(({ kind, batches }) => `${kind}: ${batches.map(({ writes }) => writes.map(shownWrite).join(', ')).join(' | ')}`)

function shownWrite(write: Write): string {
  return `${write.kind} ${write.document}${write.kind === 'weak' ? ` to ${write.targets.join('+')}` : ''}`
}
