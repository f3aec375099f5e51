import { spawnSync } from 'node:child_process'
import { describe, expect, it } from '@jest/globals'
import { ROOT } from './support/process.ts'

const forever = '() => new Promise(() => setInterval(() => undefined, 1000))'

describe('a process', () => {
  it.each([
    { name: 'its work', work: 'async () => 0', exitCode: 0, says: ['result 0', 'exit'] },
    { name: 'work that fails', work: 'async () => { throw new Error("bad") }', exitCode: 1, says: ['error bad', 'exit'] },
    {
      name: 'a signal, when its work stops for it',
      work: `async () => { process.kill(process.pid, 'SIGTERM'); await new Promise((_, stop) => { setInterval(() => undefined, 1000); life.signal.addEventListener('abort', () => stop(new Error('torn'))) }) }`,
      exitCode: 1,
      says: ['given up', 'error The run was ended from outside (SIGTERM) before it was done.', 'exit'],
    },
    {
      name: 'a signal, when its work does not stop',
      work: `async () => { process.kill(process.pid, 'SIGINT'); await (${forever})() }`,
      exitCode: 1,
      says: ['given up', 'error The run was ended from outside (SIGINT) before it was done.', 'exit'],
    },
    {
      name: 'an error that nobody waits for',
      work: `async () => { setTimeout(() => { throw new Error('stray') }); await (${forever})() }`,
      exitCode: 1,
      says: ['given up', 'error stray', 'exit'],
    },
    {
      name: 'a rejection that nobody waits for',
      work: `async () => { void Promise.reject(new Error('stray')); await (${forever})() }`,
      exitCode: 1,
      says: ['given up', 'error stray', 'exit'],
    },
    { name: 'an exit with 0 in the middle', work: 'async () => process.exit(0)', exitCode: 1, says: ['exit', 'no result'] },
    {
      name: 'something that never comes',
      work: 'async () => await new Promise(() => undefined)',
      exitCode: 1,
      says: ['exit', 'no result'],
    },
  ])('is ended by $name', ({ work, exitCode, says }) => {
    expect(runLife(work)).toEqual({ exitCode, says })
  })

  it.each([
    { name: 'a signal', happens: `process.emit('SIGTERM')` },
    { name: 'an error that nobody waits for', happens: `process.emit('uncaughtException', new Error('stray'))` },
  ])('keeps its result when $name comes while that is being reported', ({ happens }) => {
    expect(runLife('async () => 0', happens)).toEqual({ exitCode: 0, says: ['result 0', 'exit'] })
  })

  it('waits for nothing that is open once a signal has come, and tells so in time', () => {
    const report = `process.emit('SIGTERM'); await new Promise((stop) => { setInterval(() => undefined, 1000); life.lastCall.addEventListener('abort', stop) })`
    expect(runLife('async () => 0', report, forever)).toEqual({ exitCode: 0, says: ['result 0', 'exit'] })
  })
})

/** Lives through this work in a process of its own; gives its exit code and what it said on the way. */
function runLife(work: string, report = '', close = 'async () => undefined'): { exitCode: number | null; says: string[] } {
  const program = `
    import { startLifetime } from ${JSON.stringify(new URL('../src/lifetime.ts', import.meta.url))}
    const say = (text) => process.stdout.write(text + '\\n')
    const life = startLifetime({ onGivenUp: () => say('given up'), onExit: () => say('exit'), onNoResult: () => say('no result') })
    const exitCode = await life.during(${work}).then(
      (code) => { say('result ' + code); return code },
      (error) => { say('error ' + error.message); return 1 },
    )
    ${report}
    await life.end(exitCode, ${close})`
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], { cwd: ROOT, encoding: 'utf8' })
  return { exitCode: status, says: stdout.trimEnd().split('\n') }
}
