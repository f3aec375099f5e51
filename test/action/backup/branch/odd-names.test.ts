import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { startGit } from '../../../doubles/git/git.ts'
import { startGithubRest } from '../../../doubles/github/github.ts'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { makeTempFolder, ROOT } from '../../../support/process.ts'
import { type BackupRun, backUp, threeDocuments } from '../../support.ts'

const run = promisify(execFile)

const odd = [
  { _id: 'con', _type: 'post' },
  { _id: 'a-long-type', _type: '文'.repeat(40), text: 'a  b' },
  { _id: 'a-device', _type: 'aux' },
  { _id: 'drafts.con', _type: 'post' },
]

/** A night on a branch, and what the repository then holds. */
async function backUpToBranch(documents: readonly { _id: string; _type: string }[], inputs: Readonly<Record<string, string>> = {}) {
  await using stack = new AsyncDisposableStack()
  const github = stack.use(await startGithubRest())
  const sanity = stack.use(await startSanity({ documents }))
  const git = stack.use(await startGit())
  const done: BackupRun = stack.use(await backUp({ sanity, github, git }, { inputs }))
  const owned = stack.move()
  return { done, git, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

const block = async (pattern: RegExp): Promise<string> => pattern.exec(await readFile(join(ROOT, 'docs/format.md'), 'utf8'))?.[1] ?? ''

describe('types and ids that are no names on every system', () => {
  it('are stored on a branch, warned of once with their number, and read without unpacking as the docs say', async () => {
    await using made = await backUpToBranch([...threeDocuments, ...odd])
    expect(made.done).toMatchObject({ exitCode: 0, outputs: { status: 'stored', 'document-count': '7' } })
    expect(made.done.warnings).toEqual([
      expect.stringMatching(/^3 documents have a type or an id that is no name for a file on every system/),
    ])
    await using temp = await makeTempFolder('odd-names')
    await run('git', ['clone', '--quiet', '--bare', made.git.folder, 'clone.git'], { cwd: temp.path })
    await writeFile(join(temp.path, 'join.cjs'), await block(/Save it as `join\.cjs`:\n\n```js\n([\s\S]*?)```/))

    const reading = (await block(/#### Names that no disk takes[\s\S]*?```sh\n([\s\S]*?)```/)).replaceAll('1a2b3c4d', 'sanity-backups')
    const script = `${reading.replaceAll('git ', 'git -C clone.git ')}\n"${process.execPath}" join.cjs > data.ndjson`
    await run('bash', ['--norc', '-euo', 'pipefail', '-c', script], { cwd: temp.path })

    const lines = (await readFile(join(temp.path, 'data.ndjson'), 'utf8')).trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(
      expect.arrayContaining([...threeDocuments, ...odd].map((each) => expect.objectContaining(each))),
    )
    expect(lines).toHaveLength(7)
  })

  it.each([
    { name: 'in one data file', documents: odd, inputs: { 'branch-layout': 'compressed' } },
    { name: 'when there are none', documents: threeDocuments, inputs: {} },
  ])('are not warned of $name', async ({ documents, inputs }) => {
    await using made = await backUpToBranch(documents, inputs)

    expect(made.done).toMatchObject({ exitCode: 0, warnings: [] })
  })
})
