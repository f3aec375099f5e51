import * as keys from './kinds/keys.ts'
import * as kind from './kinds/kinds.ts'
import * as rules from './kinds/rules.ts'
import type { InputReader } from './reader.ts'
import { readWhichSnapshot } from './which-snapshot.ts'

/** What a user asked of a restore, checked once. */
export type RestoreInputs = Readonly<ReturnType<typeof readRestore>>

/** Reads the inputs of a restore, in the order of restore/action.yml. Whatever is wrong stays with the reader. */
export function readRestore(reader: InputReader) {
  const { read, env, refuse } = reader
  const target = {
    projectId: read('project-id', kind.required(kind.text(rules.projectIdRules), '')),
    dataset: read('dataset', kind.required(kind.text(rules.datasetRules), '')),
    token: read('token', kind.sanityToken(env)),
    apiHost: read('api-host', kind.apiHost),
    apiVersion: read('api-version', kind.required(kind.text(rules.apiVersionRules), '')).replace(/^v/, ''),
  }
  const source = {
    projectId: read('source-project-id', kind.optional(kind.text(rules.projectIdRules))),
    dataset: read('source-dataset', kind.optional(kind.text(rules.datasetRules))),
  }
  const which = readWhichSnapshot(reader)
  const inputs = {
    which,
    source,
    /** `plan` writes nothing. */
    mode: read('mode', kind.oneOf('plan', 'apply')),
    confirm: read('confirm', kind.optional(kind.text([]))),
    planDigest: read('plan-digest', kind.optional(kind.text(rules.digestRules))),
    mirror: read('mirror', kind.trueOrFalse),
    choice: {
      types: read('types', kind.list(rules.typeRules)),
      excludeTypes: read('exclude-types', kind.list(rules.typeRules)),
      ids: read('ids', kind.list(rules.idPatternRules)),
      excludeIds: read('exclude-ids', kind.list(rules.idPatternRules)),
    },
    includeAssets: read('include-assets', kind.trueOrFalse),
    onBlocked: read('on-blocked', kind.oneOf('fail', 'warn')),
    safetySnapshot: read('safety-snapshot', kind.trueOrFalse),
    allowPublic: read('allow-public', kind.trueOrFalse),
    encryptTo: read('encrypt-to', keys.recipients(env)),
    command: read('command', kind.oneOf('restore')),
  }
  const { token, ...place } = target
  const both = inputs.choice.excludeTypes.find((type) => inputs.choice.types.includes(type))
  if (both !== undefined) refuse('exclude-types', 'names a type that is also in `types`')
  return { ...inputs, target: place, token }
}
