import { spawnSync } from 'node:child_process'
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { fileCheck } from '../../../src/snapshot/check/branch.ts'
import { describeDestination, finishedSnapshot } from '../../contracts/destination.ts'
import { type Git, gitAnswers, type Refusal, startGit } from '../../doubles/git/git.ts'
import { rejection } from '../../support/feed.ts'
import { makeTempFolder } from '../../support/process.ts'
import { branch, openDestination, stagedIn } from './scene.ts'

for (const layout of ['text', 'compressed'] as const) {
  describeDestination(
    'branch',
    async ({ signal, temp }) => {
      const git = await startGit()
      const make = () => openDestination({ git, temp }, { signal, layout })
      return {
        destination: make(),
        next: make,
        fetch: async () => await checkedOut(git, temp),
        damage: async () => {
          // git compares all that it is sent with its name, so damage is what the server can give no more.
          git.run('config', 'receive.unpackLimit', '100000')
          git.fault('git-receive-pack', {
            exchange: true,
            times: 1,
            after: async () => await git.lose(`${stagedIn(git)}:abc12345/production/manifest.json`),
          })
        },
        ...(layout === 'text' ? { findings: textFindings } : {}),
        [Symbol.asyncDispose]: async () => await git[Symbol.asyncDispose](),
      }
    },
    `, layout ${layout}`,
  )
}

it('leaves nothing in the folder for temporary files', async () => {
  await using temp = await makeTempFolder('branch')
  await using git = await startGit()
  const destination = openDestination({ git, temp: temp.path })
  await destination.store(await finishedSnapshot(temp.path))
  destination[Symbol.dispose]()
  expect((await readdir(temp.path)).filter((name) => name.includes('git'))).toEqual([])
})

it('says that there is no git, where there is none', async () => {
  await using temp = await makeTempFolder('branch')
  await using git = await startGit()
  const destination = openDestination({ git, temp: temp.path }, { environment: { PATH: temp.path } })
  expect(await rejection(destination.check())).toMatchObject({ code: 'branch-rejected', title: 'There is no git on this runner' })
})

type RefusalRow = {
  readonly name: string
  readonly setUp?: (git: Git) => void | Promise<void>
  readonly world?: Parameters<typeof startGit>[0]
  readonly change?: { readonly branch?: string; readonly repository?: string }
  readonly code: string
  readonly says: RegExp
}

const byHook = (name: string, refusal: Refusal, code: string, says: RegExp): RefusalRow => ({
  name,
  setUp: async (git) => await git.refuse(refusal),
  code,
  says,
})

const refusals: RefusalRow[] = [
  byHook('a protected branch', 'protected', 'branch-rejected', /GH006.*At least 1 approving review.*Hint: .*Settings, Branches/s),
  byHook('a ruleset', 'ruleset', 'branch-rejected', /GH013.*Changes must be made through a pull request.*Hint: .*Rulesets/s),
  byHook('secrets in documents', 'secret', 'branch-rejected', /Push cannot contain secrets.*Hint: .*push protection/s),
  byHook('a file that GitHub finds too large', 'large-file', 'branch-too-large', /GH001.*Hint: .*exclude-ids/s),
  byHook(
    'a pack of over 2 GiB',
    'large-pack',
    'branch-too-large',
    /pack exceeds maximum allowed size \(2\.00 GiB\).*Hint: .*include-assets/s,
  ),
  {
    name: 'a token that may only read',
    world: { readers: ['ghs_unit'] },
    code: 'branch-rejected',
    says: /Permission to acme\/site\.git denied to github-actions\[bot\].*Hint: .*contents: write/s,
  },
  {
    name: 'an expired token',
    world: { writers: ['another'] },
    code: 'branch-rejected',
    says: /Invalid username or token|could not read Username|Authentication failed.*Hint: .*github-token/s,
  },
  {
    name: 'a repository that is not there',
    change: { repository: 'acme/nowhere' },
    code: 'branch-rejected',
    says: /Repository not found.*Hint: .*repository/s,
  },
  { name: 'an empty repository', world: { empty: true }, code: 'branch-rejected', says: /has no commit yet.*Hint: Make a first commit/s },
  { name: 'the default branch', change: { branch: 'main' }, code: 'input-invalid', says: /branch: "main" is the default branch/ },
  {
    name: 'a file where the folder belongs',
    setUp: (git) => void git.commit(branch, { abc12345: 'I am a file' }),
    code: 'branch-rejected',
    says: /"abc12345" is not a folder/,
  },
  {
    name: 'a branch whose name is a part of another’s',
    setUp: (git) => void git.commit('sanity-backups/old', { x: 'x' }),
    code: 'branch-rejected',
    says: /sanity-backups\/old.*exists|cannot lock ref/,
  },
  {
    name: 'a server that is down',
    setUp: (git) => git.fault('git-upload-pack', { answer: gitAnswers.unavailable }),
    code: 'branch-rejected',
    says: /503.*Hint: .*githubstatus/s,
  },
  {
    name: 'a request that GitHub does not understand',
    setUp: (git) => git.fault('git-receive-pack', { answer: gitAnswers.duplicate }),
    code: 'branch-rejected',
    says: /Duplicate header.*Hint: .*proxy/s,
  },
  {
    name: 'a repository that was renamed',
    setUp: (git) => git.fault('git-upload-pack', { answer: gitAnswers.moved }),
    code: 'branch-rejected',
    says: /Hint: It was renamed or given to another owner: write its new name into `repository`/s,
  },
  {
    name: 'a token that may not even read',
    setUp: (git) => git.fault('git-upload-pack', { answer: gitAnswers.forbiddenToRead }),
    code: 'branch-rejected',
    says: /SAML SSO.*Hint: .*`permissions: contents: write`.*single sign-on/s,
  },
  {
    name: 'a server that cannot unpack what it is sent',
    setUp: (git) => {
      git.run('config', 'receive.fsckObjects', 'true')
      git.run('config', 'receive.fsck.skipList', '/nowhere')
    },
    code: 'branch-rejected',
    says: /unpack.*Hint: Its words say why/s,
  },
]

describe('a branch that must not or cannot be written', () => {
  it.each(refusals)('says why, and changes nothing: $name', async ({ setUp, world, change = {}, code, says }) => {
    await using temp = await makeTempFolder('branch')
    await using git = await startGit(world)
    await setUp?.(git)
    const before = git.run('for-each-ref')
    using destination = openDestination({ git, temp: temp.path }, change)
    const snapshot = await finishedSnapshot(temp.path)
    const error = await rejection(destination.check().then(async () => await destination.store(snapshot)))
    const { message, hint } = error as { message: string; hint: string }
    expect(error).toMatchObject({ code })
    expect(`${message}\nHint: ${hint}`).toMatch(says)
    expect(git.run('for-each-ref')).toBe(before)
  })
})

async function checkedOut(git: Git, temp: string): Promise<string | undefined> {
  git.reset()
  if (git.run('for-each-ref', `refs/heads/${branch}`) === '') return undefined
  const folder = join(temp, 'fetched')
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder)
  const tar = git.archive(`${branch}:abc12345/production`)
  spawnSync('tar', ['-x', '-C', folder], { input: tar })
  return folder
}

async function textFindings(folder: string, stored: { readonly kind: string }): Promise<string[]> {
  if (!('manifest' in stored) || typeof stored.manifest !== 'object') throw new Error('it is not from the branch')
  const check = fileCheck(stored.manifest as Parameters<typeof fileCheck>[0])
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name)
    if (entry.isFile()) check.add(relative(folder, file), await readFile(file))
  }
  return check.findings().map(({ message }) => message)
}
