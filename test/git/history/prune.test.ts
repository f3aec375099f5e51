import { spawnSync } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { gitIn } from '../../../src/git/command.ts'
import { prune, type Version } from '../../../src/git/history/prune.ts'
import { gitEnvironment } from '../../../src/git/settings.ts'
import { makeTempFolder, type TempFolder } from '../../support/process.ts'

let temp: TempFolder

beforeEach(async () => {
  temp = await makeTempFolder('prune')
  run('init', '--quiet', '--bare', '--template=', '.')
})

afterEach(async () => await temp[Symbol.asyncDispose]())

const people = 'author Ada <ada@acme.example> 1700000000 +0130\ncommitter Bob <bob@acme.example> 1700000500 -0800'

/** A commit as a test writes it down: whose folder it changes, `a/x`, `a/y` or the others' `notes`. */
type Step = 'x' | 'y' | 'notes' | 'x+notes' | 'readme+x'

describe('prune', () => {
  it('drops what changed only the folder, and takes the folder out of what else is older', async () => {
    const tip = history(['readme+x', 'y', 'x', 'notes', 'x+notes', 'x', 'y', 'x'])
    const pruned = await pruneX(tip, 2)
    expect(log(pruned)).toEqual(['1 y', '3 notes', '4 x+notes', '5 x', '6 y', '7 x'])
    expect(filesAt(pruned, 5)).toEqual(['README.md', 'a/y/file'])
    expect(filesAt(pruned, 3)).toEqual(['README.md', 'a/y/file', 'notes'])
    expect(filesAt(pruned, 2)).toEqual(['README.md', 'a/x/file', 'a/y/file', 'notes'])
    expect(run('rev-parse', `${pruned}^{tree}`)).toBe(run('rev-parse', `${tip}^{tree}`))
  })

  it('keeps messages, authors and dates of all that is replayed, and leaves signatures out', async () => {
    const tip = history(['x', 'notes', 'x', 'x'])
    const signed = resigned(tip)
    const pruned = await pruneX(signed, 1)
    const told = (commit: string) => run('log', '--format=%an|%ae|%ad|%cn|%cd|%B', '--date=raw', commit).split('\n')
    expect(told(pruned)).toEqual(
      told(tip)
        .filter((line) => line === '' || !/\|(0|2) x$/.test(line))
        .slice(0, told(pruned).length),
    )
    expect(run('cat-file', 'commit', pruned)).not.toContain('gpgsig')
    expect(run('cat-file', 'commit', signed)).toContain('gpgsig')
  })

  it.each([
    { name: 'without a message and without the empty line before it', text: `${people}\n` },
    { name: 'without even the end of its last line', text: people },
    { name: 'with an empty message', text: `${people}\n\n` },
    { name: 'with a message of empty lines', text: `${people}\n\n\n\nx\n\n` },
    { name: 'in another encoding', text: `${people}\nencoding ISO-8859-1\n\nCaf\xe9` },
    { name: 'with a header that nobody knows', text: `${people}\nodd one\n two\n \n three\n\ngpgsig in the message\n` },
    { name: 'whose message looks like headers', text: `${people}\n\nparent ${'0'.repeat(40)}\nauthor Nobody\n` },
    { name: 'with an author without a name', text: 'author <> 1700000000 +0000\ncommitter <> 1700000000 +0000\n\nx' },
  ])('takes over a commit of others as it is: $name', async ({ text }) => {
    const base = history(['x', 'notes'])
    const theirs = literal(`tree ${run('rev-parse', `${base}^{tree}`)}\nparent ${base}\n${text}`)
    const tip = commit('last', { 'a/x/file': 'last' }, [theirs])
    const replayed = run('rev-parse', `${await pruneX(tip, 1)}^`)
    expect(raw(replayed).replace(/^tree .*\nparent .*\n/, '')).toBe(text)
    expect(replayed).not.toBe(theirs)
  })

  it('leaves the history alone where there is nothing older', async () => {
    const tip = history(['x', 'y', 'x', 'notes'])
    expect(await pruneX(tip, 2)).toBe(tip)
    expect(await pruneX(tip, 5)).toBe(tip)
  })

  it.each([
    {
      name: 'an older one that was put below',
      times: [1, 2, 9, 3, 9],
      steps: ['x', 'x', 'x', 'x', 'same as 2'],
      keep: 2,
      left: ['2 x', '3 x', '4 same as 2'],
    },
    {
      name: 'one that is older than all that stay',
      times: [1, 5, 9, 3, 9],
      steps: ['x', 'x', 'x', 'x', 'same as 2'],
      keep: 2,
      left: ['1 x', '2 x'],
    },
    {
      name: 'one that a slower run once put on top',
      times: [1, 9, 3, 3, 10],
      steps: ['x', 'x', 'x', 'notes', 'x'],
      keep: 2,
      left: ['1 x', '3 notes', '4 x'],
    },
    { name: 'those of one moment: the later one stays', times: [7, 7, 7], steps: ['x', 'x', 'x'], keep: 2, left: ['1 x', '2 x'] },
    { name: 'the tip, whatever its time', times: [5, 6, 1], steps: ['x', 'x', 'x'], keep: 2, left: ['1 x', '2 x'] },
  ])('goes by the times of versions: $name', async ({ times, steps, keep, left }) => {
    const tip = history(steps)
    const pruned = await pruneX(tip, keep, (message) => times[Number(/\d+/.exec(message)?.[0])] ?? 0)
    expect(log(pruned)).toEqual(left)
    expect(run('rev-parse', `${pruned}^{tree}`)).toBe(run('rev-parse', `${tip}^{tree}`))
  })

  it('lets stand, in a commit of others after a version that goes, the one before it that stays', async () => {
    const tip = history(['x', 'x', 'x+notes', 'y', 'x'])
    const times = [1, 9, 3, 0, 10]
    const pruned = await pruneX(tip, 2, (message) => times[Number(/\d+/.exec(message)?.[0])] ?? 0)
    const contents = log(pruned).map((_, back) => run('show', `${pruned}~${back}:a/x/file`))
    expect([log(pruned), contents.toReversed()]).toEqual([
      ['1 x', '2 x+notes', '3 y', '4 x'],
      ['1', '1', '1', '4'],
    ])
    run('fsck', '--strict')
  })

  it('keeps who made a commit that has no message at all', async () => {
    const first = history(['x', 'notes', 'x'])
    const bare = written(`${run('cat-file', 'commit', first).split('\n\n')[0]}\n`)
    const pruned = await pruneX(commit('3 x', { 'a/x/file': '3' }, [bare]), 1)
    const middle = run('cat-file', 'commit', `${pruned}^`)
    expect(middle).toMatch(/author Ada <ada@acme.example> 1700001000 \+0130\ncommitter Bob <bob@acme.example> 1700001500 -0800/)
    run('fsck', '--strict')
  })

  it('keeps a merge, with what is left of both sides', async () => {
    const base = history(['notes', 'x'])
    const side = commit('side', { 'other/file': 'side' }, [base])
    const main = commit('main', { 'a/x/file': 'main' }, [base])
    const merge = commit('merge', { 'other/file': 'side', 'a/x/file': 'main' }, [main, side])
    const tip = commit('last', { 'a/x/file': 'last' }, [merge])
    const pruned = await pruneX(tip, 1)
    expect(run('log', '--format=%s', '--topo-order', pruned).split('\n').toSorted()).toEqual(['0 notes', 'last', 'merge', 'side'])
    expect(run('log', '--format=%p', '-1', `${pruned}^`).split(' ')).toHaveLength(2)
  })

  it('keeps exactly the newest versions, and every version of others, whatever the history', async () => {
    const step = fc.constantFrom<Step>('x', 'y', 'notes', 'x+notes')
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 4 }), async (steps, keep) => {
        const tip = history(steps)
        const pruned = await pruneX(tip, keep)
        const { 'a/x': own = [], ...others } = versionsOf(tip)
        expect(versionsOf(pruned)).toEqual({ 'a/x': own.slice(0, keep), ...others })
        expect(run('rev-parse', `${pruned}^{tree}`)).toBe(run('rev-parse', `${tip}^{tree}`))
        expect(run('fsck', '--strict', '--no-dangling', pruned)).toBe('')
        expect(await pruneX(pruned, keep)).toBe(pruned)
      }),
      { numRuns: 25 },
    )
  }, 300_000)
})

/** Prunes `a/x`. A version's time is the first number in its message, or what is given. */
async function pruneX(tip: string, keep: number, timeOf = (message: string) => Number(/\d+/.exec(message)?.[0] ?? 0)): Promise<string> {
  const place = {
    fetchesMissing: true,
    serverUrl: 'http://127.0.0.1:9',
    name: 'acme/site',
    token: '',
    home: temp.path,
    url: 'http://127.0.0.1:9/acme/site',
    machine: { settings: [], certificates: undefined },
  }
  const environment = gitEnvironment({ PATH: '/usr/bin:/bin' }, place)
  const git = gitIn({ folder: temp.path, environment, signal: new AbortController().signal })
  const timesOf = async (versions: readonly Version[]) => versions.map(({ message }) => timeOf(message))
  const { tip: pruned } = await prune({ git, folder: temp.path }, { tip, onServer: tip, folder: 'a/x', keep, timesOf })
  // What git is made to believe here is for the push only.
  spawnSync('rm', ['-rf', `${temp.path}/info`])
  return pruned
}

const paths = ['a/x', 'a/y', 'notes']

/** The blobs or trees that each of the paths had, the newest first. */
function versionsOf(tip: string): Record<string, string[]> {
  const commits = run('log', '--format=%H', tip).split('\n')
  const input = commits.flatMap((commit) => paths.map((path) => `${commit}:${path}\n`)).join('')
  const { stdout } = spawnSync('git', ['cat-file', '--batch-check=%(objectname)'], { cwd: temp.path, encoding: 'utf8', input })
  const found = stdout.split('\n').map((line) => (line.endsWith(' missing') ? '' : line))
  return Object.fromEntries(
    paths.map((path, at) => {
      const names = commits.map((_, index) => found[index * paths.length + at] ?? '')
      return [path, names.filter((name, index) => name !== '' && name !== names[index + 1])]
    }),
  )
}

function history(steps: readonly (Step | string)[]): string {
  const files: Record<string, string> = {}
  const commits = steps.map((step, index): Commit => {
    const [, same] = /^same as (\d+)$/.exec(step) ?? []
    if (same !== undefined) files['a/x/file'] = same
    else
      for (const part of step.split('+'))
        files[{ x: 'a/x/file', y: 'a/y/file', notes: 'notes', readme: 'README.md' }[part] ?? ''] = `${index}`
    return { message: `${index} ${step}`, files: { ...files }, parents: index === 0 ? [] : [`:${index}`], index }
  })
  return imported(commits)
}

function commit(message: string, files: Readonly<Record<string, string>>, parents: readonly string[]): string {
  return imported([{ message, files, parents, index: 50 }])
}

/** `parents`: the names of commits, or `:1` for the first one of those that are made together. */
type Commit = {
  readonly message: string
  readonly files: Readonly<Record<string, string>>
  readonly parents: readonly string[]
  readonly index: number
}

/** Makes commits in one go, and gives the name of the last. */
function imported(commits: readonly Commit[]): string {
  const lines = commits.flatMap(({ message, files, parents: [first, ...others], index }, at) => [
    'reset refs/made',
    '',
    'commit refs/made',
    `mark :${at + 1}`,
    `author Ada <ada@acme.example> ${1_700_000_000 + index * 1000} +0130`,
    `committer Bob <bob@acme.example> ${1_700_000_500 + index * 1000} -0800`,
    `data ${message.length}`,
    message,
    ...(first === undefined ? [] : [`from ${first}`]),
    ...others.map((other) => `merge ${other}`),
    ...Object.entries(files).map(([path, content]) => `M 100644 inline ${path}\ndata ${content.length}\n${content}`),
  ])
  const { status, stdout, stderr } = spawnSync('git', ['fast-import', '--quiet', '--force'], {
    cwd: temp.path,
    input: `${lines.join('\n')}\nget-mark :${commits.length}\n`,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  return stdout.trim()
}

/** The commit with a signature, as `git commit -S` writes it. */
function resigned(commitName: string): string {
  const content = run('cat-file', 'commit', commitName)
  const end = content.indexOf('\n\n')
  const signed = `${content.slice(0, end)}\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n abc\n -----END PGP SIGNATURE-----${content.slice(end)}`
  return written(signed)
}

/** A commit object exactly as given, one byte a character. */
function literal(content: string): string {
  const input = Buffer.from(content, 'latin1')
  return spawnSync('git', ['hash-object', '-t', 'commit', '-w', '--stdin', '--literally'], {
    cwd: temp.path,
    input,
    encoding: 'utf8',
  }).stdout.trim()
}

const written = (content: string): string =>
  spawnSync('git', ['hash-object', '-t', 'commit', '-w', '--stdin'], { cwd: temp.path, input: content, encoding: 'utf8' }).stdout.trim()

const raw = (name: string): string => spawnSync('git', ['cat-file', 'commit', name], { cwd: temp.path, encoding: 'latin1' }).stdout

const log = (tip: string): string[] => run('log', '--reverse', '--format=%s', tip).split('\n')
const filesAt = (tip: string, back: number): string[] => run('ls-tree', '-r', '--name-only', `${tip}~${back}`).split('\n')

function run(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('git', args, { cwd: temp.path, encoding: 'utf8' })
  if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`)
  return stdout.trim()
}
