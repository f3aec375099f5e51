import type { BackupOutcome } from '../../../src/commands/backup/outcome.ts'
import { exampleManifest } from '../../support/example.ts'

/** A backup of two documents that went well, and what it can be stored as. */

export const context = {
  repository: 'acme/site',
  runId: '42',
  serverUrl: 'https://github.com',
  docs: 'https://github.com/acme/sanity-backup/blob/v1/docs',
  keptDays: 30,
  now: new Date('2026-11-22T08:15:50Z'),
}
export const artifact = {
  kind: 'artifact',
  name: 'sanity-abc12345-production',
  id: 1000,
  url: 'https://github.com/acme/site/actions/runs/42/artifacts/1000',
  sizeBytes: 5000,
} as const
export const directory = { kind: 'directory', folder: '/tmp/x', manifest: '/tmp/x/manifest.json' } as const

const { documents } = exampleManifest
export const [dataFile = { path: '', sizeBytes: 0, digest: 'sha256:' as const }] = exampleManifest.files
export const outcome: BackupOutcome = {
  status: 'stored',
  compared: { kind: 'off' },
  digest: dataFile.digest,
  manifest: exampleManifest,
  stored: [artifact],
  documents: {
    tally: {
      count: 2,
      drafts: 1,
      versions: 0,
      excluded: 0,
      draftsLeftOut: 3,
      received: 2,
      damaged: 0,
      lacking: new Map(),
      untaken: new Map(),
      unsafeNames: 0,
      byType: new Map(),
      holdsToken: false,
      secretTypes: [],
    },
    data: { file: dataFile, contentDigest: documents.contentDigest },
    mode: 'stream',
    repeated: 0,
    streamGivenUp: false,
    liveCountBefore: 2,
    liveCountAfter: 2,
    exportMs: 4000,
    waitedMs: 3000,
  },
  missed: { count: 0, lacks: new Set(), first: [] },
  sizeBytes: 1300,
  durationMs: 5000,
  stages: { downloadMs: 3000, compressMs: 1000, assetsMs: 0, uploadMs: 600, verifyMs: 400 },
  failure: undefined,
  withdraw: () => undefined,
}
