import type { FindingKind } from '../../format/findings/finding.ts'

/** What to do about each kind of finding, as a sentence for the summary and the hint of an error. */
const lostCopy =
  'Do not rely on this snapshot. Choose an older one with `at` or `run-id`, make a new backup today, and find out what changed this one.'
const incomplete = 'Choose an older snapshot that has all of it, or make a new backup.'

const cures: Readonly<Record<FindingKind, string>> = {
  'file-missing': lostCopy,
  'file-unexpected': 'Nothing in a snapshot is added later: find out who put it there, and verify again without it.',
  'size-differs': lostCopy,
  'digest-differs': lostCopy,
  'content-differs': lostCopy,
  'content-unreadable': lostCopy,
  'line-invalid': lostCopy,
  'duplicate-id': 'A restore would keep one of them and lose the other. Make a new backup; if it comes back, report it.',
  'documents-differ': lostCopy,
  'assets-differ': lostCopy,
  'asset-not-its-hash': lostCopy,
  'shard-missing': 'Run the failed jobs of that matrix again, or choose another run with `run-id`.',
  'too-old':
    'See why the backup has not run: a schedule is stopped after 60 days without a commit, and by a failing or disabled workflow. Run it by hand now.',
  'assets-missing': incomplete,
  'reference-dangling':
    'A restore into an empty dataset refuses these references. If the documents exist in Sanity, see whether a filter left them out.',
  'expires-soon': 'Raise `retention-days`, or run the backup more often, so that there is always a snapshot left.',
  'needs-new-ids': 'Nothing is wrong with the snapshot. A restore that uploads these files gives them new ids and mends the references.',
}

/** What to do about a kind of finding. */
export function cureOf(kind: FindingKind): string {
  return cures[kind]
}
