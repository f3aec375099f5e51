import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { BackupError } from '../../src/errors.ts'
import type { Ending } from '../../src/report/ending.ts'
import { makeReport, type Report, type Secrets } from '../../src/report/report.ts'
import { makeTempFolder } from '../support/process.ts'

const before = { ...process.env }
let printed: string[] = []
let temp: Awaited<ReturnType<typeof makeTempFolder>>

beforeAll(async () => {
  temp = await makeTempFolder('report')
})

afterAll(async () => {
  await temp[Symbol.asyncDispose]()
})

beforeEach(() => {
  printed = []
  // What is printed are workflow commands, which a runner that shows this log would carry out.
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0)
})

afterEach(() => {
  for (const name of ['GITHUB_OUTPUT', 'GITHUB_STEP_SUMMARY']) delete process.env[name]
  Object.assign(process.env, before)
  jest.restoreAllMocks()
})

const failure = new BackupError({ code: 'export-invalid', title: 'Bad', message: 'It is bad.', hint: 'Mend it.' })
const good: Ending = { outputs: { path: '/backups/x', count: 2 }, summary: () => '# Good', failure: undefined }

describe('the end of a run', () => {
  it('is green with its outputs and its summary', async () => {
    const files = await makeFiles()
    expect(await files.report.end(good)).toBe(0)
    expect(await files.output()).toMatch(/path<<.*\n\/backups\/x\n.*\ncount<<.*\n2\n/)
    expect(await files.summary()).toBe('# Good')
    expect(printed.join('')).toBe('')
  })

  it.each([
    { code: 'export-invalid', exitCode: 1 },
    { code: 'cancelled', exitCode: 130 },
  ] as const)('has the exit code $exitCode and the output error-code for $code', async ({ code, exitCode }) => {
    const files = await makeFiles()
    const error = new BackupError({ code, title: 'Bad', message: 'It is bad.', hint: 'Mend it.' })
    expect(await files.report.end({ ...good, failure: error })).toBe(exitCode)
    expect(await files.output()).toMatch(new RegExp(`error-code<<.*\n${code}\n`))
    expect(printed.join('')).toContain('::error title=Bad::It is bad.%0AHint: Mend it.')
  })

  it.each(['y'.repeat(280), '\u200b'])('takes a secret out of a text before that is cut', (before) => {
    const secret = `sk${'Ab3dEf6hJ9'.repeat(9)}`
    const { clean } = makeReport({ masked: [secret], hidden: [] }, {})
    expect(clean(`${before}${secret.slice(0, 20)}\u200b${secret.slice(20)}${'z'.repeat(300)}`)).not.toContain(secret.slice(0, 8))
  })

  it('keeps its outputs though its summary cannot be made', async () => {
    const files = await makeFiles()
    const summary = () => {
      throw new TypeError('no summary')
    }
    expect(await files.report.end({ ...good, summary })).toBe(0)
    expect(await files.output()).toContain('/backups/x')
    expect(printed.join('')).toContain('::warning::The job summary could not be written (no summary).')
  })

  it('is another one where its outputs cannot be written', async () => {
    const files = await makeFiles({ GITHUB_OUTPUT: '/nowhere/output' })
    const unwritten = () => ({ outputs: {}, summary: () => '# Lost', failure })
    expect(await files.report.end({ ...good, unwritten })).toBe(1)
    expect(printed.join('')).toContain('::error title=Bad::')
    expect(printed.join('')).toContain('::warning::The outputs or the job summary could not be written')
  })

  it('is the same where its outputs cannot be written and no other one is given', async () => {
    const files = await makeFiles({ GITHUB_OUTPUT: '/nowhere/output' })
    expect(await files.report.end({ ...good, failure })).toBe(1)
    expect(printed.join('')).toContain('::error title=Bad::It is bad.')
  })
})

describe('the annotation of a failure', () => {
  it('ends with the address of the page that tells more, at the ref of the action', async () => {
    const files = await makeFiles({ GITHUB_ACTION_REPOSITORY: 'acme/sanity-backup', GITHUB_ACTION_REF: 'v1' })
    await files.report.end({ ...good, failure })
    expect(printed.join('')).toContain('Hint: Mend it.%0Ahttps://github.com/acme/sanity-backup/blob/v1/docs/errors.md#export-invalid')
  })

  it('names the page where the action was used from a path', async () => {
    const files = await makeFiles()
    await files.report.end({ ...good, failure })
    expect(printed.join('')).toContain('Hint: Mend it.%0Adocs/errors.md#export-invalid')
  })

  it('has its title and its code in the log', async () => {
    const files = await makeFiles()
    await files.report.end({ ...good, failure })
    expect(printed.join('')).toContain('Bad (export-invalid)\n')
  })
})

describe('a secret', () => {
  const secrets = { masked: ['skREPORTabcdefghijkl'], hidden: ['proxy-password-of-mine'] }
  const both = [...secrets.masked, ...secrets.hidden].join(' ')

  it('is in no annotation and in no summary: three stars are', async () => {
    const files = await makeFiles({}, secrets)
    const error = new BackupError({ code: 'unexpected', title: both, message: both, hint: both, cause: new Error(both) })
    await files.report.end({ outputs: {}, summary: () => both, failure: error })
    const shown = [await files.summary(), printed.filter((line) => !line.startsWith('::add-mask::')).join('')]
    expect(shown).toEqual([
      expect.stringMatching(/^\*\*\* \*\*\*$/),
      expect.stringContaining('::error title=*** ***::*** ***%0AHint: *** ***'),
    ])
    expect(shown.join('')).not.toMatch(/skREPORT|proxy-password/)
  })

  it('of a proxy bends no output, for outputs never hold one', async () => {
    const files = await makeFiles({}, { masked: [], hidden: ['sanity-backup'] })
    await files.report.end({ ...good, outputs: { path: '/tmp/sanity-backup/x' } })
    expect(await files.output()).toContain('/tmp/sanity-backup/x')
  })

  it('is masked only where a runner reads the command', () => {
    makeReport({ masked: ['skREPORTabcdefghijkl'], hidden: ['proxy-password-of-mine'] }, {})
    expect(printed).toEqual([])
    makeReport({ masked: ['skREPORTabcdefghijkl'], hidden: ['proxy-password-of-mine'] }, { GITHUB_ACTIONS: 'true' })
    expect(printed.map((line) => line.trim())).toEqual(['::add-mask::skREPORTabcdefghijkl'])
  })

  it('with characters that act on a screen is masked as it would be shown, and those are never printed', async () => {
    const secret = 'skREPORT\u001b[2Jabcdefghijkl'
    const files = await makeFiles({ GITHUB_ACTIONS: 'true' }, { masked: [secret, '\u0007word'], hidden: [] })
    expect(printed.map((line) => line.trim())).toEqual(['::add-mask::skREPORT[2Jabcdefghijkl'])
    files.report.log.info(`given: ${secret}`)
    expect(printed.at(-1)).toBe('given: ***\n')
  })
})

type Files = { readonly report: Report; readonly output: () => Promise<string>; readonly summary: () => Promise<string> }

/** A report in an environment with empty files for outputs and summary, or with other paths. */
async function makeFiles(others: Record<string, string> = {}, secrets: Secrets = { masked: [], hidden: [] }): Promise<Files> {
  // @actions/core remembers the path of the summary, so all tests have the same files.
  const env = { GITHUB_OUTPUT: join(temp.path, 'output'), GITHUB_STEP_SUMMARY: join(temp.path, 'summary') }
  for (const file of Object.values(env)) await writeFile(file, '')
  // It reads the paths from the process itself.
  Object.assign(process.env, env, others)
  return {
    report: makeReport(secrets, { ...env, ...others }),
    output: async () => await readFile(env.GITHUB_OUTPUT, 'utf8'),
    summary: async () => await readFile(env.GITHUB_STEP_SUMMARY, 'utf8'),
  }
}
