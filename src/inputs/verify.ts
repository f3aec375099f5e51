import * as kind from './kinds/kinds.ts'
import * as rules from './kinds/rules.ts'
import type { InputReader } from './reader.ts'
import { readWhichSnapshot } from './which-snapshot.ts'

/** What a user asked of a verification, checked once. */
export type VerifyInputs = Readonly<ReturnType<typeof readVerify>>

/** A hundred years. */
const mostHours = 876_000

/** Reads the inputs of a verification, in the order of verify/action.yml. Whatever is wrong stays with the reader. */
export function readVerify(reader: InputReader) {
  const { read, refuse, env } = reader
  const source = {
    projectId: read('project-id', kind.optional(kind.text(rules.projectIdRules))),
    dataset: read('dataset', kind.optional(kind.text(rules.datasetRules))),
  }
  const which = readWhichSnapshot(reader)
  const inputs = {
    source,
    which,
    /** `structure` fetches no data. */
    level: read('level', kind.oneOf('data', 'structure')),
    maxAgeHours: read('max-age-hours', kind.optional(kind.wholeNumber(1, mostHours))),
    /** The folder in which the verified snapshot is left. */
    fetchTo: read('fetch-to', kind.optional(kind.shownFolder(env))),
    command: read('command', kind.oneOf('verify')),
  }
  if (inputs.fetchTo !== undefined && inputs.level === 'structure') {
    refuse('fetch-to', 'needs `level: data`: at `structure` nothing is fetched that could be left there')
  }
  refuseUnnamed(inputs, reader)
  return inputs
}

/** Where no place is named, the artifact's name is made of both. */
function refuseUnnamed({ source, which: { place } }: Pick<VerifyInputs, 'source' | 'which'>, { refuse, isWrong }: InputReader): void {
  if (place.kind !== 'artifact' || place.name !== undefined || isWrong('artifact-name')) return
  for (const [name, value] of [
    ['project-id', source.projectId],
    ['dataset', source.dataset],
  ] as const) {
    if (value === undefined) refuse(name, 'is missing: it is needed where neither `path`, `artifact-name` nor `branch` is given')
  }
}
