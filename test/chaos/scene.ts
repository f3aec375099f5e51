import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { joinDocument } from '../../src/format/document-file.ts'
import { parseManifest } from '../../src/format/manifest/parse-manifest.ts'
import { checkSnapshot } from '../../src/snapshot/check/check.ts'
import { sumDigest } from '../../src/streams/digest.ts'
import { type ArtifactRun, type Artifacts, startArtifacts } from '../doubles/artifacts/artifacts.ts'
import { type Git, startGit } from '../doubles/git/git.ts'
import { type GithubRest, startGithubRest } from '../doubles/github/github.ts'
import { type Sanity, startSanity } from '../doubles/sanity/sanity.ts'
import { readZip } from '../support/zip.ts'

export const destinations = ['directory', 'artifact', 'branch'] as const

export type DestinationName = (typeof destinations)[number]

/** The services that all rounds of a series share. */
export type Scene = AsyncDisposable & {
  readonly sanity: Sanity
  readonly github: GithubRest
  readonly artifacts: Artifacts
  readonly git: Git
}

const documents = Array.from({ length: 400 }, (_, index) => ({
  _id: `doc-${index}`,
  _type: 'post',
  // Digests do not compress: the disk fills with the documents.
  body: Array.from({ length: 20 }, (__, part) => createHash('sha256').update(`${index}/${part}`).digest('base64')).join(''),
}))

/** About what {@link documents} take when they are compressed, in bytes. */
export const snapshotBytes = 300_000

/** Starts a Sanity whose export takes about half a second, so that there are moments to hit, and GitHub's services. */
export async function startScene(): Promise<Scene> {
  await using stack = new AsyncDisposableStack()
  const sanity = stack.use(await startSanity({ documents }))
  sanity.fault('export', { stream: { chunkBytes: 32 * 1024, chunkDelayMs: 30 } })
  const artifacts = stack.use(await startArtifacts())
  const github = stack.use(await startGithubRest({ artifacts }))
  const git = stack.use(await startGit())
  const owned = stack.move()
  return { sanity, github, artifacts, git, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** A number from 0 to 1 that depends on its names alone, so that any round can be run again. */
export function chance(...names: readonly (string | number)[]): number {
  return createHash('sha256').update(names.join('/')).digest().readUInt32BE() / 2 ** 32
}

/** Where one run puts what it publishes, so that it can be told from that of all others. */
export type Place = { readonly path: string; readonly temp: string; readonly workflow: ArtifactRun; readonly branch: string }

/** What was published at a place: how many snapshots, and what is wrong with them, in words. */
export type Published = { readonly count: number; readonly findings: readonly string[] }

/** Reads all that was published at a place from the first byte to the last. */
export async function readPublished(destination: DestinationName, place: Place, scene: Scene): Promise<Published> {
  switch (destination) {
    case 'directory':
      return await readFolders(place.path)
    case 'artifact':
      return await readArtifacts(place, scene)
    case 'branch':
      return readBranch(place, scene)
    default:
      return destination satisfies never
  }
}

async function readFolders(path: string): Promise<Published> {
  const names = (await readdir(path).catch(() => [])).filter((name) => !name.endsWith('.partial'))
  const findings = await Promise.all(names.map((name) => findingsIn(join(path, name))))
  return { count: names.length, findings: findings.flat() }
}

async function readArtifacts({ workflow, temp }: Place, { artifacts }: Scene): Promise<Published> {
  const stored = artifacts.list(workflow.runId)
  const findings: string[] = []
  for (const { id } of stored) {
    const folder = await mkdtemp(join(temp, 'artifact-'))
    for (const entry of readZip(await artifacts.fetchBytes(id))) {
      await mkdir(dirname(join(folder, entry.name)), { recursive: true })
      await writeFile(join(folder, entry.name), entry.read())
    }
    findings.push(...(await findingsIn(folder)))
    await rm(folder, { recursive: true })
  }
  return { count: stored.length, findings }
}

function readBranch({ branch }: Place, { git, sanity }: Scene): Published {
  if (git.run('for-each-ref', `refs/heads/${branch}`) === '') return { count: 0, findings: [] }
  const files = Object.entries(git.files(branch))
  const lines = files.flatMap(([path, text]) => (/\/documents\/.*\.json$/.test(path) ? [joinDocument(Buffer.from(text))] : []))
  const digest = sumDigest()
  for (const line of lines) digest.add(line)
  const manifest = parseManifest(Buffer.from(git.files(branch)[`${sanity.project}/${sanity.dataset}/manifest.json`] ?? ''))
  const same = manifest.documents.contentDigest === digest.result() && lines.length === documents.length
  return { count: 1, findings: same ? [] : [`the branch holds ${lines.length} documents that are not those of its manifest`] }
}

async function findingsIn(folder: string): Promise<string[]> {
  try {
    const manifestBytes = await readFile(join(folder, 'manifest.json'))
    const findings = await checkSnapshot(folder, { level: 'data', manifestBytes, signal: AbortSignal.timeout(60_000) })
    const count = (JSON.parse(manifestBytes.toString()) as { documents: { count: number } }).documents.count
    const short = count === documents.length ? [] : [`${count} of ${documents.length} documents`]
    const errors = findings.filter(({ severity }) => severity === 'error')
    return [...errors.map(({ message }) => message), ...short]
  } catch (error) {
    return [`${folder} cannot be verified: ${error}`]
  }
}
