/** How the server behaves where nobody outside knows for sure, or where waiting is the behaviour. */
export type Rules = {
  /**
   * When strong references are checked. INFERRED `end`, on what the whole transaction results in: Sanity's cross-dataset-duplicator writes
   * documents before those they refer to. `each`: after every mutation, as an older engine of the same protocol did.
   */
  readonly referenceCheck: 'end' | 'each'
  /** INFERRED `keep`: the Studio takes a given `_updatedAt` out before it publishes, which is needless unless it would stick. */
  readonly updatedAt: 'keep' | 'now'
  /** INFERRED `refuse`: @sanity/import and the Studio write releases by actions only. */
  readonly systemDocuments: 'refuse' | 'accept'
  /** INFERRED `false`; an older engine of the same protocol wanted delete and create for the replacement of a document. */
  readonly replaceNeedsDelete: boolean
  /** Whether a dry run tells the documents it would have written; unknown. */
  readonly dryRunDocuments: boolean
  /** `on-write`: the server adds `_system` to what is written (sanity-io/sanity operations/duplicate.ts: authoritative, server-managed). */
  readonly systemMember: 'none' | 'on-write'
  /** How long a release stays in a state like `publishing`: sanity-io/client test/integration/releases.integration.test.ts. */
  readonly transitionMs: number
  /** Releases that are neither archived nor published; free accounts have a limit of 0: sanity-io/sanity createReleaseOperationStore.ts. */
  readonly releaseLimit: number
  /** Queries see a write that much later; `doc` and the export see it at once (INFERRED). */
  readonly indexLagMs: number
  /** A file stays that long after its document was deleted: "only for a limited time" (sanity.io docs, restore a deleted dataset). */
  readonly deletedFileMs: number
}

export const defaultRules: Rules = {
  referenceCheck: 'end',
  updatedAt: 'keep',
  systemDocuments: 'refuse',
  replaceNeedsDelete: false,
  dryRunDocuments: true,
  systemMember: 'none',
  transitionMs: 0,
  releaseLimit: Number.POSITIVE_INFINITY,
  indexLagMs: 0,
  deletedFileMs: 0,
}
