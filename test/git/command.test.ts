import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { type Git, GitError, gitIn } from '../../src/git/command.ts'
import { rejection } from '../support/feed.ts'
import { makeTempFolder, type TempFolder } from '../support/process.ts'

let temp: TempFolder
let controller: AbortController
let git: Git

beforeEach(async () => {
  temp = await makeTempFolder('command')
  controller = new AbortController()
  git = gitIn({ folder: temp.path, environment: { PATH: '/usr/bin:/bin', GIT_DIR: temp.path, LC_ALL: 'C' }, signal: controller.signal })
  await git.run(['init', '--quiet', '--bare', '.'])
})

afterEach(async () => await temp[Symbol.asyncDispose]())

/** A git that calls this program as if it were one of its own. */
const shell = (script: string): readonly string[] => ['-c', `alias.x=!${script}`, 'x']

async function* lines(...texts: readonly string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text)
}

async function* take<Item>(items: AsyncIterable<Item>, count: number): AsyncGenerator<Item> {
  let taken = 0
  for await (const item of items) {
    yield item
    if (++taken === count) return
  }
}

/** Returns once there is no such process any more; the test's own limit ends the waiting. */
async function untilGone(pid: number): Promise<void> {
  while (isThere(pid)) await setTimeout(10)
}

function isThere(pid: number): boolean {
  try {
    // One that has ended, and that nobody has asked for its exit code, is gone as well.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

describe('a git process', () => {
  it('gets its input, and gives what it prints', async () => {
    expect((await git.run(['hash-object', '--stdin'], { input: lines('hel', 'lo') })).toString()).toBe(
      'b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0\n',
    )
  })

  it('that fails is thrown with its words by `run` and `read`, and returned by `attempt`', async () => {
    const args = ['rev-parse', '--verify', 'nowhere']
    const error = await rejection(git.run(args))
    expect(error).toBeInstanceOf(GitError)
    expect(error).toMatchObject({ message: expect.stringMatching(/^git rev-parse ended with 128: fatal: /) })
    expect(await rejection(Array.fromAsync(git.read(args)))).toBeInstanceOf(GitError)
    expect(await git.attempt(args)).toMatchObject({ exitCode: 128, stderr: expect.stringContaining('fatal') })
  })

  it('ends with all that it started when the reader leaves early', async () => {
    const [first = Buffer.alloc(0)] = await Array.fromAsync(take(git.read(shell('echo $$; exec sleep 600')), 1))
    await untilGone(Number(first.toString()))
  })

  it('ends with all that it started when the signal is aborted, and the reason is thrown', async () => {
    const reason = new RangeError('cancelled')
    const running = git.read(shell('echo $$; exec sleep 600'))
    const pid = Number((await running.next()).value?.toString())
    controller.abort(reason)
    expect(await rejection(running.next())).toBe(reason)
    await untilGone(pid)
    expect(await rejection(git.run(['--version']))).toBe(reason)
  })

  it('whose input breaks off throws what the input threw', async () => {
    const broken = new RangeError('the disk is gone')
    const input = async function* () {
      yield Buffer.from('blob\ndata 100\n')
      throw broken
    }
    expect(await rejection(git.run(['fast-import', '--quiet'], { input: input() }))).toBe(broken)
  })

  it('that does not read its input to the end is judged by its exit code', async () => {
    const much = Array.from({ length: 100 }, () => 'x'.repeat(64 * 1024))
    expect(await git.run(shell('true'), { input: lines(...much) })).toEqual(Buffer.alloc(0))
  })
})
