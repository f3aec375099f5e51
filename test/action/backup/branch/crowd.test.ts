import { spawn } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Git, startGit } from '../../../doubles/git/git.ts'
import { type GithubRest, startGithubRest } from '../../../doubles/github/github.ts'
import { type Sanity, startSanity } from '../../../doubles/sanity/sanity.ts'
import { makeTempFolder, ROOT, runPeer } from '../../../support/process.ts'
import { type BackupRun, backUp, failureOf, threeDocuments } from '../../support.ts'

const branch = 'sanity-backups'

let github: GithubRest
let sanity: Sanity

beforeAll(async () => {
  github = await startGithubRest()
  sanity = await startSanity({ documents: threeDocuments })
})

afterAll(async () => {
  await sanity[Symbol.asyncDispose]()
  await github[Symbol.asyncDispose]()
})

const runs = 6

/** Backs the dataset up under a label of its own, so that each run has something to store. */
async function backUpAs(label: string, git: Git): Promise<BackupRun> {
  const run = await backUp({ sanity, github, git }, { inputs: { label, 'max-shrink-percent': '100' }, timeoutMs: 290_000 })
  await run[Symbol.asyncDispose]()
  return run
}

const snapshotsIn = (git: Git): string[] =>
  [...git.run('log', '--format=%B', branch).matchAll(/^Snapshot: (.*)$/gm)].map(([, name]) => name ?? '')

describe('6 runs on one branch', () => {
  it('are all in the history when no more than five go on at once', async () => {
    await using git = await startGit()
    const waiting = Array.from({ length: runs }, (_, index) => `run-${index}`)
    const ended: BackupRun[] = []
    const worker = async () => {
      for (let label = waiting.shift(); label !== undefined; label = waiting.shift()) ended.push(await backUpAs(label, git))
    }
    await Promise.all(Array.from({ length: 5 }, worker))
    // With its words, if one failed.
    expect(ended.map(failureOf)).toEqual(Array(runs).fill({ exitCode: 0, code: undefined, title: '', message: '' }))
    expect(snapshotsIn(git).toSorted()).toEqual(ended.map(({ outputs }) => outputs['snapshot']).toSorted())
    git.run('fsck', '--strict')
  }, 300_000)

  it('end, all at once, either in the history or as a conflict that left nothing', async () => {
    await using git = await startGit()
    const ended = await Promise.all(Array.from({ length: runs }, async (_, index) => await backUpAs(`run-${index}`, git)))
    const stored = ended.filter(({ exitCode }) => exitCode === 0)
    const others = ended.filter(({ exitCode }) => exitCode !== 0)
    expect(others.map(failureOf)).toEqual(others.map(() => expect.objectContaining({ exitCode: 1, code: 'branch-conflict' })))
    expect(snapshotsIn(git).toSorted()).toEqual(stored.map(({ outputs }) => outputs['snapshot']).toSorted())
    expect(stored.map(({ outputs }) => outputs['status'])).toEqual(stored.map(() => 'stored'))
    git.run('fsck', '--strict')
  }, 300_000)
})

describe('a restore point of three nights ago', () => {
  it.each(['text', 'compressed'])(
    'comes back with git, node and the stock importer, as the recipe says: layout %s',
    async (layout) => {
      await using git = await startGit()
      await using temp = await makeTempFolder('restore')
      for (const night of [1, 2, 3, 4]) {
        const documents = [...threeDocuments, { _id: 'night', _type: 'note', night, big: 'ü'.repeat(100) }]
        await using source = await startSanity({ documents })
        await using run = await backUp({ sanity: source, github, git }, { inputs: { 'branch-layout': layout } })
        expect(run.exitCode).toBe(0)
      }

      const clone = join(temp.path, 'clone')
      await mkdir(clone)
      const header = `Authorization: Basic ${Buffer.from('x-access-token:ghs_person').toString('base64')}`
      const sh = async (command: string): Promise<string> => {
        const env = {
          PATH: `${join(process.execPath, '..')}:/usr/bin:/bin`,
          HOME: temp.path,
          GIT_CONFIG_COUNT: '1',
          GIT_CONFIG_KEY_0: 'http.extraheader',
          GIT_CONFIG_VALUE_0: header,
        }
        const child = spawn('bash', ['--norc', '-euo', 'pipefail', '-c', command], { cwd: clone, env })
        let text = ''
        child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
        })
        const code = await new Promise((resolve) => child.on('close', resolve))
        expect({ command, code }).toEqual({ command, code: 0 })
        return text.trim()
      }
      await sh(`git init --quiet . && git remote add origin ${git.url}/acme/site`)
      const recipe = await recipeLines()
      await sh(recipe.fetch)
      const points = await sh(recipe.log)
      const [commit = ''] = (points.split('\n')[3] ?? '').split(' ')
      await writeFile(join(clone, 'join.cjs'), await joinProgram())
      await sh(recipe.archive.replaceAll('1a2b3c4d', commit))
      if (layout === 'text') await sh('node join.cjs > data.ndjson')

      await using target = await startSanity({ project: 'abc12345', projects: { abc12345: { restored: {} } } })
      const imported = await runPeer(new URL('../../../peers/import.mjs', import.meta.url), {
        url: target.url,
        project: target.project,
        dataset: 'restored',
        token: target.editorToken,
        operation: 'createOrReplace',
        source: join(clone, layout === 'text' ? 'data.ndjson' : 'snapshot/data.ndjson.gz'),
      })
      expect({ code: imported.exitCode, stderr: imported.stderr }).toEqual({ code: 0, stderr: '' })
      expect(
        target
          .store('restored')
          .documents()
          .find(({ _id }) => _id === 'night'),
      ).toMatchObject({ night: 1, big: 'ü'.repeat(100) })
      expect(target.store('restored').documents()).toHaveLength(4)
    },
    300_000,
  )
})

/** The lines of docs/recipes.md, "Restoring from a branch". */
async function recipeLines(): Promise<{ fetch: string; log: string; archive: string }> {
  const page = await readFile(join(ROOT, 'docs/recipes.md'), 'utf8')
  const section = page.split('## Restoring from a branch')[1]?.split('\n## ')[0] ?? ''
  const [finding = '', taking = ''] = [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block ?? '')
  const [fetch = '', log = ''] = finding.split('\n')
  return { fetch, log, archive: taking.split('\n').slice(0, 2).join('\n') }
}

/** The program of docs/format.md, which is the one in the branch's README too. */
async function joinProgram(): Promise<string> {
  const page = await readFile(join(ROOT, 'docs/format.md'), 'utf8')
  return /Save it as `join\.cjs`:\n\n```js\n([\s\S]*?)```/.exec(page)?.[1] ?? ''
}
