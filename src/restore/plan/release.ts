/** What a release document says that a restore goes by. Its states: `@sanity/client` src/types.ts. */
export type Release = { readonly name: string; readonly state: string; readonly publishAt?: string | undefined }

const prefix = '_.releases.'

/** Whether a document stands for a release of versions. */
export function isRelease(id: string): boolean {
  return id.startsWith(prefix)
}

/** The id of the document of the release that a version belongs to; undefined for every other document. */
export function releaseOfVersion(id: string): string | undefined {
  const [space, release] = id.split('.', 2)
  return space === 'versions' && release ? `${prefix}${release}` : undefined
}

/** Reads the document of a release. */
export function releaseIn(line: Buffer): Release {
  const { _id, state, publishAt } = JSON.parse(line.toString('utf8')) as Record<string, unknown>
  return {
    name: String(_id).slice(prefix.length),
    state: typeof state === 'string' ? state : 'active',
    publishAt: typeof publishAt === 'string' ? publishAt : undefined,
  }
}

/** Sanity sets these by itself: what is compared, and what comes back, is the release's description. */
export const releaseOwnMembers: ReadonlySet<string> = new Set(['_id', '_type', 'name', 'metadata'])

/** What can become of a release. `no`: why it cannot be brought back. */
export type ReleaseVerdict =
  | { readonly kind: 'create' | 'edit' | 'same'; readonly reason?: string }
  | { readonly kind: 'no'; readonly reason: string }

const unscheduled = 'it was scheduled and comes back as active, so that nothing is published by itself'

/**
 * What a restore can do for a release: a state cannot be set, and one that was scheduled for a time that has passed would publish at once
 * (sanity-io/client test/integration/releases.integration.test.ts). `sameWords`: whether both describe it in the same way.
 */
export function judgeRelease(wanted: Release, there: Release | undefined, sameWords: boolean): ReleaseVerdict {
  const wasScheduled = /^schedul/.test(wanted.state)
  const isDone = /^(publish|archiv)/.test(wanted.state)
  if (there === undefined) {
    if (isDone) return { kind: 'no', reason: `the release was ${wanted.state}, and no release can be made in that state` }
    return wasScheduled ? { kind: 'create', reason: unscheduled } : { kind: 'create' }
  }
  const sameState = wanted.state === there.state || (there.state === 'active' && (wasScheduled || !isDone))
  const otherTime = wasScheduled && wanted.state === there.state && wanted.publishAt !== there.publishAt
  if (otherTime)
    return { kind: 'no', reason: 'the release is scheduled in the target for another time: nobody but the Studio can change that' }
  if (sameState && sameWords) return { kind: 'same' }
  if (there.state === 'active' && !isDone) return { kind: 'edit' }
  return {
    kind: 'no',
    reason: `the release is ${there.state} in the target and was ${wanted.state}: nobody but the Studio can change that`,
  }
}

type Action = Readonly<Record<string, unknown>>

/** The action that makes a release: only actions can, and only as active. Shape: `@sanity/client` src/types.ts. */
export function makeRelease(line: Buffer): Action {
  const { _rev, _updatedAt, _system, publishAt, finalDocumentStates, ...attributes } = JSON.parse(line.toString('utf8')) as Action
  const { name } = releaseIn(line)
  return { actionType: 'sanity.action.release.import', releaseId: name, attributes: { ...attributes, state: 'active' }, ifExists: 'fail' }
}

/** The action that gives a release its description. */
export function editRelease(line: Buffer): Action {
  const { metadata } = JSON.parse(line.toString('utf8')) as Action
  return { actionType: 'sanity.action.release.edit', releaseId: releaseIn(line).name, patch: { set: { metadata } } }
}
