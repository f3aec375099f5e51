import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { makeTempFolder } from '../process.ts'
import { parseCommandFile } from './command-files.ts'
import { type RunOptions, type RunResult, runAction } from './runner.ts'

describe('runAction', () => {
  it('sets every declared input, to its default or to nothing, and inherits no environment', async () => {
    const script = 'console.log(JSON.stringify(process.env))'
    await using run = await runScript(script, { inputs: { 'project-id': 'abc' } })
    const env = JSON.parse(run.stdout)
    expect(env).toMatchObject({
      'INPUT_PROJECT-ID': 'abc',
      INPUT_DATASET: 'production',
      INPUT_LABEL: '',
      INPUT_PATH: `${run.temp}/sanity-backup`,
    })
    expect(env['INPUT_GITHUB-TOKEN']).toMatch(/^ghs_/)
    expect(
      Object.keys(env).filter((name) => !/^(INPUT|GITHUB|RUNNER|ACTIONS)_|^(PATH|HOME|LANG|CI|NODE_COMPILE_CACHE)$/.test(name)),
    ).toEqual([])
  })

  it('refuses an input that is not declared', async () => {
    await expect(runScript('', { inputs: { 'projekt-id': 'abc' } })).rejects.toThrow('Not an input of action.yml: projekt-id')
  })

  it('starts in the workspace, with the command files there and empty', async () => {
    const script = `import { readFileSync } from 'node:fs'
      const files = ['OUTPUT', 'ENV', 'STATE', 'PATH', 'STEP_SUMMARY'].map((name) => readFileSync(process.env['GITHUB_' + name], 'utf8'))
      console.log(process.cwd() === process.env.GITHUB_WORKSPACE, files.join(''))`
    await using run = await runScript(script)
    expect(run.stdout).toBe('true \n')
    expect(await run.filesLeft()).toEqual([])
  })

  it('carries out commands of both streams and masks what it shows', async () => {
    const script = `console.log('::add-mask::s3cret-value')
      console.log('raw s3cret-value, base64 ' + Buffer.from('s3cret-value').toString('base64'))
      console.error('::error title=One%3A two,file=a::first%0Asecond 100%25')
      console.log('text ##[warning]legacy')
      console.log('::group::Step')
      // The streams are read side by side: what stderr said must have arrived before commands are stopped.
      await new Promise((resolve) => setTimeout(resolve, 500))
      console.log('::stop-commands::pause')
      console.log('::notice::not a command')
      console.log('::pause::')
      process.exitCode = 3`
    await using run = await runScript(script)
    expect(run).toMatchObject({ exitCode: 3, signal: null, timedOut: false, masks: ['s3cret-value'] })
    expect(run.annotations.toSorted((a, b) => (a.kind < b.kind ? -1 : 1))).toMatchObject([
      { kind: 'error', title: 'One: two', message: 'first\nsecond 100%' },
      { kind: 'warning', title: '', message: 'legacy' },
    ])
    expect(run.maskedLog).toContain('raw ***, base64 ***')
    expect(run.maskedLog).toContain('::notice::not a command')
    expect(run.maskedLog).not.toContain('s3cret')
  })

  it('passes signals on and tells how the process ended', async () => {
    const script = "console.log('ready'); setTimeout(() => {}, 60_000)"
    await using run = await runScript(script, {
      onStart: async (running) => {
        await running.waitFor(/ready/)
        running.signal('SIGTERM')
      },
    })
    expect(run).toMatchObject({ exitCode: null, signal: 'SIGTERM' })
  })

  it('kills what takes too long', async () => {
    await using run = await runScript('setTimeout(() => {}, 60_000)', { timeoutMs: 300 })
    expect(run).toMatchObject({ signal: 'SIGKILL', timedOut: true })
  })

  it('drops a summary above 1 MiB, as GitHub does', async () => {
    const script = "(await import('node:fs')).writeFileSync(process.env.GITHUB_STEP_SUMMARY, 'x'.repeat(1024 * 1024 + 1))"
    await using run = await runScript(script)
    expect(run).toMatchObject({ exitCode: 0, summary: '', annotations: [{ kind: 'error' }] })
  })
})

describe('parseCommandFile', () => {
  it('reads both forms', () => {
    expect(parseCommandFile('a=1=2\nb<<END\nx\n\ny=z\nEND\n\nc=\n')).toEqual({ a: '1=2', b: 'x\n\ny=z', c: '' })
  })

  it.each([
    { text: 'neither', message: "Invalid format 'neither'" },
    { text: '=value\n', message: "Invalid format '=value'. Name must not be empty" },
    { text: 'a<<END\nx\n', message: "Invalid value. Matching delimiter not found 'END'" },
    { text: 'a<<END\nx\nEND', message: 'Invalid value. EOF marker missing new line.' },
  ])('throws on $text', ({ text, message }) => {
    expect(() => parseCommandFile(text)).toThrow(message)
  })
})

async function runScript(script: string, options: RunOptions = {}): Promise<RunResult> {
  await using folder = await makeTempFolder('script')
  const entry = join(folder.path, 'entry.mjs')
  await writeFile(entry, script)
  return await runAction({ entry, ...options })
}
