import { BackupError } from '../../../errors.ts'
import type { Problem } from '../../../sanity/write/write.ts'
import { quoteOutside } from '../../../text.ts'

/** A document that was not written, and why: somebody changed it meanwhile, or the server has something against it. */
export type Left = {
  readonly document: number
  readonly id: string
  /** As the end of a sentence that begins with the id. */
  readonly why: string
  /** Whether somebody else made, changed or deleted the document after the plan was made. */
  readonly byOthers: boolean
  /** What the plan, or this run, knew of it. A document that still has it in the end was changed by nobody else. */
  readonly revision: string
}

/** All documents that were left. */
export type LeftOnes = {
  readonly all: readonly Left[]
  readonly has: (document: number) => boolean
  readonly find: (document: number) => Left | undefined
  /** Throws `restore-failed` when so many were refused, for what they are, that the fault is likely to be none of theirs. */
  readonly add: (left: Pick<Left, 'document' | 'id' | 'revision'>, problem: Pick<Problem, 'type' | 'others' | 'words'>) => void
  /** A document that was left for a reason of its own, in words. */
  readonly say: (left: Pick<Left, 'document' | 'id' | 'revision' | 'byOthers'>, why: string) => void
}

/** So many documents may be refused before the run is given up, if no more than these were written. */
const mostRefused = 100

/** Begins the list. `written` says how many documents were written by now. */
export function openLeft(written: () => number): LeftOnes {
  const all = new Map<number, Left>()
  let refused = 0
  const add = (left: Left): void => {
    if (!all.has(left.document)) all.set(left.document, left)
  }
  return {
    get all() {
      return [...all.values()]
    },
    has: (document) => all.has(document),
    find: (document) => all.get(document),
    add: (left, problem) => {
      add({ ...left, why: whyLeft(problem), byOthers: ofOthers.has(problem.type) })
      if (!isConflict(problem)) refused++
      if (refused >= mostRefused && refused > written()) throw tooManyRefused(refused, { ...left, why: whyLeft(problem) })
    },
    say: (left, why) => add({ ...left, why }),
  }
}

const ofOthers: ReadonlySet<Problem['type']> = new Set(['exists', 'revision', 'missing'])

/** Whether a document is refused for what others are or did, and not for what it is itself. */
function isConflict({ type }: Pick<Problem, 'type'>): boolean {
  return ofOthers.has(type) || type === 'reference-missing' || type === 'still-referred'
}

function tooManyRefused(count: number, { id, why }: Pick<Left, 'id' | 'why'>): BackupError {
  return new BackupError({
    code: 'restore-failed',
    title: 'Sanity refuses document after document',
    message: `${count} documents were refused, more than were written, so no further one was tried. The last was ${quoteOutside(id, 150)}: ${quoteOutside(why, 300)}.`,
    hint: 'If Sanity says the same of all of them, check `api-version` and `api-host`, and whether a proxy answers in the place of Sanity. If it is about these documents, leave them out with `exclude-ids` or `exclude-types`.',
  })
}

function whyLeft({ type, others, words }: Pick<Problem, 'type' | 'others' | 'words'>): string {
  switch (type) {
    case 'exists':
      return 'somebody made it after the plan was made'
    case 'revision':
      return 'somebody changed it after the plan was made'
    case 'missing':
      return 'somebody deleted it after the plan was made'
    case 'reference-missing':
      return `it refers to ${others.slice(0, 3).join(', ') || 'a document'}, which is not there`
    case 'still-referred':
      return `${others.slice(0, 3).join(', ') || 'another document'} refers to it by now`
    default:
      return `Sanity says: ${words || 'nothing'}`
  }
}
