import type { Batch, Limits, Step, Write } from './writes.ts'

/** Writes that have to be in one transaction. `bytes` are those of whole lines: stubs, clears and deletes are too short to matter. */
export type Unit = { readonly writes: readonly Write[]; readonly documents: number; readonly bytes: number }

/** Whether that much may stand in one batch. A single document always may: it can not be made smaller. */
export function fits({ documents, bytes }: Omit<Unit, 'writes'>, limits: Limits): boolean {
  return documents === 1 || (documents <= limits.documents && bytes <= limits.bytes)
}

export type Packer = { readonly add: (unit: Unit) => void; readonly batches: () => Batch[] }

/** Puts units into batches, in their order. */
export function packer(limits: Limits): Packer {
  const batches: Batch[] = []
  let writes: Write[] = []
  let held = { documents: 0, bytes: 0 }
  const close = (): void => {
    if (writes.length > 0) batches.push({ writes })
    writes = []
    held = { documents: 0, bytes: 0 }
  }
  return {
    add: (unit) => {
      const together = { documents: held.documents + unit.documents, bytes: held.bytes + unit.bytes }
      const apart = writes.length > 0 && !fits(together, limits)
      if (apart) close()
      // Not `push(...)`: a component may have more writes than a call takes arguments.
      for (const write of unit.writes) writes.push(write)
      held = apart ? unit : together
    },
    batches: () => {
      close()
      return batches
    },
  }
}

/** A packer for each level, made when it is first asked for. */
export function levelPackers(limits: Limits): { readonly at: (level: number) => Packer; readonly steps: (kind: Step['kind']) => Step[] } {
  const packers: Packer[] = []
  return {
    at: (level) => {
      while (packers.length <= level) packers.push(packer(limits))
      return packers[level] as Packer
    },
    steps: (kind) => packers.flatMap((each) => stepOf(kind, each)),
  }
}

/** No step if there is nothing to write. */
export function stepOf(kind: Step['kind'], { batches }: Packer): Step[] {
  const all = batches()
  return all.length > 0 ? [{ kind, batches: all }] : []
}
