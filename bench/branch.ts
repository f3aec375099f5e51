import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { demoDocuments } from '../demo/dataset.ts'
import { type Git, startGit } from '../test/doubles/git/git.ts'
import { startGithubRest } from '../test/doubles/github/github.ts'
import { runAction } from '../test/support/runner/runner.ts'
import { figure, machine, table, watchTogether } from './measure.ts'

/**
 * What nights on a branch cost: for each layout a first night and then nights on which 1 % of the documents is another, into a real git server. What
 * is pushed and fetched, how large the repository becomes, time and memory. `--mb 100`, `--nights 10`, `--layouts text,compressed`.
 */
export async function run(options: string[]): Promise<number> {
  const { values } = parseArgs({
    args: options,
    options: {
      mb: { type: 'string', default: '100' },
      nights: { type: 'string', default: '10' },
      layouts: { type: 'string', default: layouts.join() },
    },
  })
  const nights = makeNights(Number(values.mb) * 1e6, Number(values.nights))
  const [first = new Map<string, Buffer>()] = nights
  const bytes = [...first.values()].reduce((sum, line) => sum + line.length + 1, 0)
  console.log(
    `${machine()}; ${first.size.toLocaleString('en-US')} documents, ${figure(bytes / 1e6, 0)} MB; ${nights.length - 1} nights with 1 % changed.\n`,
  )
  const results = new Map<string, Result>()
  for (const layout of layouts.filter((each) => values.layouts.split(',').includes(each)))
    results.set(layout, await measure(layout, nights))
  console.log(report(results))
  const missed = missedGoals(results)
  for (const goal of missed) console.log(`MISSED: ${goal}`)
  return missed.length === 0 ? 0 : 1
}

const layouts = ['text', 'compressed', 'one sorted file'] as const

type Night = {
  readonly pushedBytes: number
  readonly fetchedBytes: number
  readonly readBackBytes: number
  readonly wallSeconds: number
  readonly peakRssBytes: number
}
type Result = { readonly nights: readonly Night[]; readonly bytes: number; readonly packedBytes: number }

/** The documents of each night, by their ids: 1 % changed, of these a tenth new and a sixteenth gone, as in a week of ordinary editing. */
function makeNights(bytes: number, count: number): Map<string, Buffer>[] {
  const spare: Buffer[] = []
  const documents = new Map<string, Buffer>()
  let total = 0
  for (const line of demoDocuments(1, Number.MAX_SAFE_INTEGER)) {
    // Sanity counts its own apart.
    if (idOf(line).startsWith('_.')) continue
    if (total < bytes) documents.set(idOf(line), line)
    else spare.push(line)
    total += line.length + 1
    if (total > bytes * 1.03 + 100_000) break
  }
  const nights = [documents]
  const random = pseudoRandom(7)
  for (let night = 1; night <= count; night++) {
    const next = new Map(nights.at(-1))
    const ids = [...next.keys()]
    for (let edit = 0; edit < documents.size / 120; edit++) {
      const id = ids[Math.floor(random() * ids.length)] ?? ''
      const line = next.get(id)
      if (line) next.set(id, edited(line, night))
    }
    for (let gone = 0; gone < documents.size / 1600; gone++) next.delete(ids[Math.floor(random() * ids.length)] ?? '')
    for (let fresh = 0; fresh < documents.size / 1000; fresh++) {
      const line = spare.pop()
      if (line) next.set(idOf(line), line)
    }
    nights.push(next)
  }
  return nights
}

const idOf = (line: Buffer): string => (JSON.parse(line.toString()) as { _id: string })._id

function edited(line: Buffer, night: number): Buffer {
  const document = JSON.parse(line.toString()) as Record<string, unknown>
  return Buffer.from(JSON.stringify({ ...document, _rev: `rev${night}${Math.random()}`, title: `Edited in night ${night}` }))
}

/** The same numbers each time: mulberry32. */
function pseudoRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

async function measure(layout: (typeof layouts)[number], nights: readonly Map<string, Buffer>[]): Promise<Result> {
  await using git = await startGit()
  const measured: Night[] = []
  for (const [number, documents] of nights.entries()) {
    git.reset()
    const startedAt = performance.now()
    const peakRssBytes = layout === 'one sorted file' ? await pushSorted(git, documents) : await backUp(git, layout, documents)
    const wallSeconds = (performance.now() - startedAt) / 1000
    const pushes = git.requests.filter(({ service, method }) => service === 'git-receive-pack' && method === 'POST')
    const pushedBytes = pushes.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0)
    const fetchedBytes = git.requests.reduce((sum, { sentBytes }) => sum + sentBytes, 0)
    const since = pushes.length > 0 ? git.requests.indexOf(pushes.at(-1) as (typeof pushes)[number]) : git.requests.length
    const readBackBytes = git.requests.slice(since).reduce((sum, { sentBytes }) => sum + sentBytes, 0)
    measured.push({ pushedBytes, fetchedBytes, readBackBytes, wallSeconds, peakRssBytes })
    process.stderr.write(`  ${layout}, night ${number} of ${nights.length - 1}: ${wallSeconds.toFixed(1)} s\n`)
  }
  const bytes = await sizeOf(git.folder)
  git.run('-c', 'gc.pruneExpire=now', 'gc', '--quiet')
  return { nights: measured, bytes, packedBytes: await sizeOf(git.folder) }
}

/** Gives the most memory that node and git took together. */
async function backUp(git: Git, layout: string, documents: ReadonlyMap<string, Buffer>): Promise<number> {
  await using github = await startGithubRest()
  const server = createServer((request, response) => {
    if (request.url?.includes('/data/export/')) {
      for (const line of documents.values()) {
        response.write(line)
        response.write('\n')
      }
      response.end()
      return
    }
    const acl = [{ filter: '_id in path("**")', permissions: ['read'] }]
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(request.url?.includes('/acl') ? acl : { result: documents.size, ms: 1 }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  let peak = () => Number.NaN
  await using result = await runAction({
    timeoutMs: 3_600_000,
    env: { ...github.env, ...git.env },
    inputs: {
      'project-id': 'abc12345',
      token: 'skBENCHabcdefghijklmnopqrstuvwxyz0123456789',
      'api-host': `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      destination: 'branch',
      'branch-layout': layout,
      'exclude-ids': '',
    },
    onStart: ({ child }) => {
      peak = watchTogether(child)
    },
  })
  server.close()
  if (result.exitCode !== 0) throw new Error(`the action failed:\n${result.maskedLog}`)
  return peak()
}

/** What one would do without a layout: all documents in one file, sorted, so that git finds what two nights have in common. */
async function pushSorted(git: Git, documents: ReadonlyMap<string, Buffer>): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'sanity-backup-bench-'))
  const call = async (args: readonly string[], input?: () => AsyncGenerator<Buffer>): Promise<number> => {
    const env = {
      PATH: '/usr/bin:/bin',
      HOME: folder,
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'http.extraheader',
      GIT_CONFIG_VALUE_0: header,
    }
    const child = spawn('git', args, { cwd: folder, env, stdio: ['pipe', 'ignore', 'ignore'] })
    const peak = watchTogether(child)
    const closed = once(child, 'close')
    child.stdin.on('error', () => undefined)
    for await (const chunk of input?.() ?? []) if (!child.stdin.write(chunk)) await once(child.stdin, 'drain')
    child.stdin.end()
    await closed
    return peak()
  }
  const url = `${git.url}/acme/site`
  const size = [...documents.values()].reduce((sum, line) => sum + line.length + 1, 0)
  const peaks = [await call(['init', '--quiet', '--bare', '.'])]
  peaks.push(await call(['fetch', '--quiet', '--depth=1', '--filter=blob:none', url, '+refs/heads/sanity-backups:refs/heads/tip']))
  const has = git.run('for-each-ref', 'refs/heads/sanity-backups') !== ''
  const from = has ? 'from refs/heads/tip\n' : ''
  peaks.push(
    await call(['fast-import', '--quiet', '--force'], async function* () {
      yield Buffer.from(
        `commit refs/heads/made\ncommitter A <a@b> 1700000000 +0000\ndata 1\nx\n${from}M 100644 inline data.ndjson\ndata ${size}\n`,
      )
      for (const id of [...documents.keys()].toSorted()) yield Buffer.concat([documents.get(id) ?? Buffer.alloc(0), Buffer.from('\n')])
      yield Buffer.from('\n')
    }),
  )
  peaks.push(await call(['-c', 'pack.window=0', 'push', '--quiet', url, 'refs/heads/made:refs/heads/sanity-backups']))
  await rm(folder, { recursive: true, force: true })
  return Math.max(...peaks.filter((peak) => Number.isFinite(peak)))
}

const header = `Authorization: Basic ${Buffer.from('x-access-token:ghs_bench').toString('base64')}`

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const sizes = await Promise.all(
    entries.filter((entry) => entry.isFile()).map(async (entry) => (await stat(join(entry.parentPath, entry.name))).size),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

const medianOf = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN
const nightly = ({ nights }: Result, field: keyof Night): number => medianOf(nights.slice(1).map((night) => night[field]))

function report(results: ReadonlyMap<string, Result>): string {
  const compressed = results.get('compressed')
  const rows = [...results].map(([name, result]) => [
    name,
    figure((result.nights[0]?.pushedBytes ?? 0) / 1e6, 1),
    figure(nightly(result, 'pushedBytes') / 1e6, 3),
    compressed ? `${figure((nightly(result, 'pushedBytes') / nightly(compressed, 'pushedBytes')) * 100, 2)} %` : '–',
    figure(nightly(result, 'fetchedBytes') / 1e6, 3),
    figure(nightly(result, 'readBackBytes') / 1e6, 3),
    `${figure(readBackShare(result) * 100, 2)} %`,
    figure(result.bytes / 1e6, 1),
    figure(result.packedBytes / 1e6, 1),
    figure(result.nights[0]?.wallSeconds ?? Number.NaN, 1),
    figure(nightly(result, 'wallSeconds'), 1),
    figure(Math.max(...result.nights.map(({ peakRssBytes }) => peakRssBytes)) / 1e6, 0),
  ])
  const head = [
    '',
    'first push MB',
    'a night MB',
    '÷ compressed',
    'a night fetches MB',
    'of it read back MB',
    'read back ÷ first push',
    'repository MB',
    'after gc MB',
    'first night s',
    'a night s',
    'peak RSS together MB',
  ]
  return table(head, rows)
}

/** What a night reads back of what the first night pushed. */
const readBackShare = (result: Result): number => nightly(result, 'readBackBytes') / (result.nights[0]?.pushedBytes ?? Number.NaN)

const readBackLimit = 0.05
const peakLimitBytes = 500e6
const shareLimit = 0.03

function missedGoals(results: ReadonlyMap<string, Result>): string[] {
  const text = results.get('text')
  const compressed = results.get('compressed')
  const share = text && compressed ? nightly(text, 'pushedBytes') / nightly(compressed, 'pushedBytes') : 0
  const readBack = text ? readBackShare(text) : 0
  const peaks = [text, compressed].flatMap((result) => (result?.nights ?? []).map(({ peakRssBytes }) => peakRssBytes))
  return [
    ...(share < shareLimit ? [] : [`a night in text pushes under 3 % of what compressed pushes (${figure(share * 100, 2)} %)`]),
    ...(readBack < readBackLimit ? [] : [`a night in text reads back under 5 % of the first push (${figure(readBack * 100, 2)} %)`]),
    ...(Math.max(...peaks) < peakLimitBytes ? [] : ['node and git together take under 500 MB']),
  ]
}
