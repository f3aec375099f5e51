import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { checkSnapshot } from '../../src/snapshot/check.ts'
import { type Artifacts, startArtifacts } from '../doubles/artifacts.ts'
import { type GithubRest, startGithubRest } from '../doubles/github.ts'
import { type Sanity, startSanity } from '../doubles/sanity.ts'
import { readZip } from '../support/zip.ts'

export const destinations = ['directory', 'artifact'] as const

export type DestinationName = (typeof destinations)[number]

/** The services that all rounds of a series share. */
export type Scene = AsyncDisposable & {
  readonly sanity: Sanity
  readonly github: GithubRest
  readonly artifacts: Artifacts
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
  const owned = stack.move()
  return { sanity, github, artifacts, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** A number from 0 to 1 that depends on its names alone, so that any round can be run again. */
export function chance(...names: readonly (string | number)[]): number {
  return createHash('sha256').update(names.join('/')).digest().readUInt32BE() / 2 ** 32
}

/** What is wrong with the published snapshots below a folder, in words; and how many there are. */
export async function findingsBelow(path: string): Promise<{ readonly published: number; readonly findings: readonly string[] }> {
  const names = (await readdir(path).catch(() => [])).filter((name) => !name.endsWith('.partial'))
  const findings = await Promise.all(names.map((name) => findingsIn(join(path, name))))
  return { published: names.length, findings: findings.flat() }
}

/** The same for the artifacts of one workflow run. */
export async function findingsInArtifacts(
  artifacts: Artifacts,
  run: string,
  temp: string,
): Promise<{ published: number; findings: string[] }> {
  const stored = artifacts.list(run)
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
  return { published: stored.length, findings }
}

async function findingsIn(folder: string): Promise<string[]> {
  try {
    const manifestBytes = await readFile(join(folder, 'manifest.json'))
    const findings = await checkSnapshot(folder, { manifestBytes, signal: AbortSignal.timeout(60_000) })
    const count = (JSON.parse(manifestBytes.toString()) as { documents: { count: number } }).documents.count
    const short = count === documents.length ? [] : [`${count} of ${documents.length} documents`]
    return [...findings.map(({ message }) => message), ...short]
  } catch (error) {
    return [`${folder} cannot be verified: ${error}`]
  }
}
