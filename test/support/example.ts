import type { Found } from '../../src/destinations/destination.ts'
import type { Manifest } from '../../src/format/manifest/manifest.ts'
import type { PlainManifest } from '../../src/format/manifest/sealed.ts'

/** The manifest of contract 3, with the values of an ordinary run. */
export const exampleManifest: PlainManifest = {
  format: 'sanity-backup/1',
  snapshot: 'abc12345-production-20261122T081500Z',
  label: null,
  shard: null,
  takenAt: '2026-11-22T08:15:00Z',
  finishedAt: '2026-11-22T08:15:41Z',
  complete: true,
  source: { projectId: 'abc12345', dataset: 'production', apiVersion: '2025-02-19', mode: 'stream' },
  tool: { name: 'sanity-backup', version: '1.0.0' },
  run: { repository: 'acme/site', runId: '42', runAttempt: 1, event: 'schedule', sha: '0123456789abcdef0123456789abcdef01234567' },
  filters: {
    includeDrafts: true,
    types: [],
    excludeTypes: [],
    excludeIds: ['secrets.**', '*.secrets', '*.secret', 'sanity-preview-url-secret.**'],
  },
  documents: {
    count: 2,
    drafts: 1,
    versions: 0,
    excluded: 0,
    byType: { post: 2 },
    liveCountBefore: 2,
    liveCountAfter: 2,
    contentDigest: `sumsha256:${'0a'.repeat(32)}`,
  },
  assets: { included: false, count: 0, sizeBytes: 0, reused: 0, missing: [] },
  access: { fullRead: true },
  encryption: null,
  files: [
    {
      path: 'data.ndjson.gz',
      sizeBytes: 1234,
      digest: `sha256:${'1b'.repeat(32)}`,
      contentBytes: 9999,
      contentDigest: `sha256:${'2c'.repeat(32)}`,
    },
  ],
}

/** A snapshot as a reader gives it, of which nobody wants more than the manifest. */
export function foundOf(manifest: Manifest): Found {
  const fetch = () => Promise.reject(new Error('nothing is fetched here'))
  return { manifest, manifestBytes: Buffer.from(JSON.stringify(manifest)), where: `at the place of ${manifest.snapshot}`, fetch }
}
