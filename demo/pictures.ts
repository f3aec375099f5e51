import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Manifest } from '../src/format/manifest/manifest.ts'
import { startArtifacts } from '../test/doubles/artifacts/artifacts.ts'
import { startGithubRest } from '../test/doubles/github/github.ts'
import { answers } from '../test/doubles/sanity/answers.ts'
import { type Sanity, startSanity } from '../test/doubles/sanity/sanity.ts'
import { exampleManifest } from '../test/support/example.ts'
import { runAction } from '../test/support/runner/runner.ts'
import { draw } from './browser.ts'
import { demoDocuments } from './dataset.ts'
import { spoil } from './rescue.ts'

/** A job summary that is drawn, and what has to be seen on it. */
type Scene = {
  readonly name: string
  /** Documents of the last backup, and types that only it had; without: there was none. */
  readonly last?: { readonly count: number; readonly types?: Record<string, number> }
  readonly nights?: number
  readonly inputs?: Readonly<Record<string, string>>
  readonly prepare?: (sanity: Sanity) => void
  /** The summary is that of a restore after a disaster, instead of the backup's. */
  readonly restore?: Readonly<Record<string, string>>
  readonly says: RegExp
  readonly bars?: number
}

const DOCUMENTS = 1200
const scenes: readonly Scene[] = [
  { name: 'night-1', says: /: ✅ complete, [\d,]+ documents\n[\s\S]*nothing to compare with/ },
  { name: 'night-15', last: { count: 1190 }, nights: 14, says: /: ✅ complete, [\d,]+ documents\n/, bars: 14 },
  {
    name: 'partial-role',
    last: { count: 1190 },
    nights: 4,
    prepare: (sanity) => sanity.fault('acl', { answer: { status: 200, body: [] } }),
    says: /⚠️ possibly incomplete/,
    bars: 5,
  },
  { name: 'vanished-type', last: { count: 1204, types: { legacyBanner: 1 } }, nights: 14, says: /legacyBanner is gone/, bars: 14 },
  { name: 'shrink-guard', last: { count: 5400 }, nights: 14, says: /❌ failed, nothing stored[\s\S]*last good backup/ },
  {
    name: 'missing-asset',
    inputs: { 'include-assets': 'true', 'on-missing-asset': 'warn', 'exclude-types': 'sanity.imageAsset' },
    prepare: (sanity) => {
      sanity.addAsset({ kind: 'files', bytes: Buffer.from('manual'), filename: 'manual.pdf' })
      sanity.fault('asset', { answer: { status: 404 } })
    },
    says: /⚠️ incomplete, 1 asset missing/,
  },
  {
    name: 'forbidden',
    last: { count: 1190 },
    prepare: (sanity) => sanity.fault('query', { answer: answers.robotsNotAllowed }),
    says: /Robots are not allowed[\s\S]*last good backup/,
  },
  { name: 'restore-plan', restore: {}, says: /✅ a plan: \d+ to create, \d+ to replace, 25 to delete\n[\s\S]*To carry this plan out/ },
  {
    name: 'restore',
    restore: { mode: 'apply', confirm: 'production' },
    says: /✅ restored, [\d,]+ documents equal\n[\s\S]*nothing differs[\s\S]*To undo this restore/,
  },
]

const temp = await mkdtemp(join(tmpdir(), 'sanity-backup-pictures-'))
const [only = ''] = process.argv.slice(2)
// With `--check` the pictures are made and looked at, and those in the docs stay as they are.
const folder = only === '--check' ? temp : resolve('docs/pictures')
await mkdir(folder, { recursive: true })
try {
  for (const scene of scenes.filter(({ name }) => only === name || only === '' || only === '--check')) await show(scene)
} finally {
  await rm(temp, { recursive: true, force: true })
}

async function show(scene: Scene): Promise<void> {
  const startedAt = performance.now()
  const { name, says, bars = 0 } = scene
  const summary = await summaryOf(scene)
  const drawn = await draw(summary, { page: join(temp, `${name}.html`), png: join(folder, `${name}.png`) })
  const wrong = [
    ...drawn.wrong,
    ...(says.test(summary) ? [] : [`the summary does not say ${says}:\n${summary}`]),
    ...(drawn.bars === bars ? [] : [`${drawn.bars} bars instead of ${bars}`]),
  ]
  process.stdout.write(
    `${name}: ${wrong.length === 0 ? 'good' : wrong.join('; ')} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)\n`,
  )
  if (wrong.length > 0) process.exitCode = 1
}

async function summaryOf({ name, last, nights = 0, inputs, prepare, restore }: Scene): Promise<string> {
  await using sanity = await startSanity({ lines: [...demoDocuments(1, DOCUMENTS)] })
  await using artifacts = await startArtifacts()
  await using rest = await startGithubRest({ artifacts })
  prepare?.(sanity)
  const path = join(temp, name)
  if (last) await writeLast(path, manifestOf(last, nights))
  const source = { 'project-id': sanity.project, dataset: sanity.dataset, 'api-host': sanity.url }
  const around = () => ({
    env: {
      ...artifacts.newRun().env,
      ...rest.env,
      GITHUB_ACTION_REPOSITORY: 'OWNER/sanity-backup',
      GITHUB_ACTION_REF: 'v1',
      GITHUB_RETENTION_DAYS: '90',
    },
    timeoutMs: 300_000,
  })
  await using run = await runAction({
    inputs: { ...source, token: sanity.token, destination: 'artifact, directory', path, ...inputs },
    ...around(),
  })
  if (!restore) return run.summary
  await spoil(sanity)
  await using restored = await runAction({
    action: 'restore',
    inputs: { ...source, token: sanity.editorToken, mirror: 'true', ...restore },
    ...around(),
  })
  return restored.summary
}

async function writeLast(path: string, manifest: Manifest): Promise<void> {
  await mkdir(join(path, manifest.snapshot), { recursive: true })
  await writeFile(join(path, manifest.snapshot, 'manifest.json'), JSON.stringify(manifest))
}

/** The manifest of the night before, with those before it. */
function manifestOf({ count, types = {} }: NonNullable<Scene['last']>, nights: number): Manifest {
  const nightly = (ago: number) => new Date(Date.now() - (22 + 24 * ago) * 3_600_000).toISOString().replace(/\.\d+Z$/, 'Z')
  const nameOf = (takenAt: string) => `abc12345-production-${takenAt.replace(/[-:]/g, '')}`
  const takenAt = nightly(0)
  const recent = Array.from({ length: Math.max(0, nights - 1) }, (_, index) => ({
    snapshot: nameOf(nightly(index + 1)),
    takenAt: nightly(index + 1),
    documents: count - 7 * (index + 1) + (index % 3) * 5,
    sizeBytes: 1,
  }))
  const byType = { ...demoTypes(), ...types }
  byType['article'] = (byType['article'] ?? 0) + count - Object.values(byType).reduce((sum, each) => sum + each, 0)
  const files = exampleManifest.files.map((file) => ({ ...file, sizeBytes: Math.round(count * 1050) }))
  return {
    ...exampleManifest,
    snapshot: nameOf(takenAt),
    takenAt,
    documents: { ...exampleManifest.documents, count, drafts: 54, byType },
    recent,
    files,
  }
}

/** How many documents of each type the demo's dataset has, but for those that a backup leaves out. */
function demoTypes(): Record<string, number> {
  const byType: Record<string, number> = {}
  for (const line of demoDocuments(1, DOCUMENTS)) {
    const { _id: id, _type: type } = JSON.parse(String(line)) as { _id: string; _type: string }
    if (/^secrets\.|^_\.(?!releases)/.test(id)) continue
    byType[type] = (byType[type] ?? 0) + 1
  }
  return byType
}
