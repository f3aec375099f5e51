import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals'
import type { BackupOutcome } from '../../src/commands/backup/outcome.ts'
import { makeReport } from '../../src/report/report.ts'
import { exampleManifest } from '../snapshot/example.ts'
import { makeTempFolder } from '../support/process.ts'

const before = { ...process.env }

beforeEach(() => {
  // What is printed are workflow commands, which a runner that shows this log would carry out.
  jest.spyOn(process.stdout, 'write').mockReturnValue(true)
})

afterEach(() => {
  for (const name of ['GITHUB_OUTPUT', 'GITHUB_STEP_SUMMARY']) delete process.env[name]
  Object.assign(process.env, before)
  jest.restoreAllMocks()
})

it('sets the outputs of a good run though its summary cannot be made', async () => {
  await using temp = await makeTempFolder('report')
  const env = { GITHUB_OUTPUT: join(temp.path, 'output'), GITHUB_STEP_SUMMARY: join(temp.path, 'summary') }
  for (const file of Object.values(env)) await writeFile(file, '')
  Object.assign(process.env, env)
  const stored = [{ kind: 'directory', folder: '/backups/x', manifest: '/backups/x/manifest.json' }]
  // Whatever the summary stumbles over.
  const outcome = { status: 'stored', manifest: exampleManifest, stored, documents: undefined } as unknown as BackupOutcome

  const report = makeReport({ masked: [], hidden: [] }, env)
  const exitCode = await report.success(outcome, { repository: '', runId: '', serverUrl: '' })

  expect(exitCode).toBe(0)
  expect(await readFile(env.GITHUB_OUTPUT, 'utf8')).toContain('/backups/x/manifest.json')
})
