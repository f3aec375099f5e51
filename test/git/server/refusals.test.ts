import { describe, expect, it } from '@jest/globals'
import { GitError } from '../../../src/git/command.ts'
import { failedPush, failedRead, findCommandFailure, isDamaged, isNotFound } from '../../../src/git/server/refusals.ts'

const url = 'https://git.acme.example/acme/site'
const finished = (stderr: string, stdout = '') => ({ exitCode: 1, stdout: Buffer.from(stdout), stderr })
const rejected = (why: string) => `To ${url}\n!\trefs/heads/b:refs/heads/b\t[remote rejected] (${why})\nDone\n`

describe('a push that fails', () => {
  it.each([
    { name: 'by a race, found by git', why: 'stale info', stderr: 'error: failed to push some refs', kind: 'lost' },
    { name: 'by a race, found by the server', why: 'cannot lock ref: is at a but expected b', stderr: '', kind: 'lost' },
    { name: 'by a folder of that name', why: 'cannot lock ref', stderr: "error: 'b/old' exists; cannot create 'b'", kind: 'refused' },
    { name: 'by a rule', why: 'pre-receive hook declined', stderr: 'remote: error: GH013: Repository rule violations', kind: 'refused' },
    { name: 'for a reason that nobody knows', why: 'strange', stderr: '', kind: 'refused' },
    { name: 'by a connection', why: '', stderr: 'error: RPC failed; curl 56 Recv failure', kind: 'broken' },
    { name: 'without any word that is known', why: '', stderr: 'fatal: odd', kind: 'broken' },
  ])('$name, is $kind', ({ why, stderr, kind }) => {
    expect(failedPush(finished(stderr, why === '' ? '' : rejected(why)), url).kind).toBe(kind)
  })

  it('is explained in the words of the server and of git, each once, without their decoration', () => {
    const failure = failedPush(
      finished('remote: error: GH006: no\nremote: error: GH006: no\nCounting objects: 3', rejected('declined')),
      url,
    )
    expect(failure).toMatchObject({ error: { message: `Repository ${url}: git says "error: GH006: no (declined)"` } })
  })
})

describe('a server that is not read', () => {
  it('for lack of rights is not told to write', () => {
    expect(failedRead(finished('fatal: The requested URL returned error: 403'), url).title).toBe('The token may not read the repository')
  })

  it.each([
    { stderr: 'remote: Repository not found.', missing: true, damaged: false },
    { stderr: 'fatal: pack is corrupted', missing: false, damaged: true },
    { stderr: 'fatal: odd', missing: false, damaged: false },
  ])('is missing or damaged only if git says so: $stderr', ({ stderr, missing, damaged }) => {
    const error = failedRead(finished(stderr), url)
    expect([isNotFound(error), isDamaged(error)]).toEqual([missing, damaged])
  })
})

describe('what fails in work with git', () => {
  it('is said in words if it was git', () => {
    const error = new GitError(['fetch'], finished('fatal: unable to access: Could not resolve host'))
    expect(findCommandFailure(error, url)).toMatchObject({ title: 'The git server cannot be reached', retry: { tries: 5 } })
  })

  it('is the lack of git only if no such program was found, and not any file', () => {
    const missing = (message: string) => Object.assign(new Error(message), { code: 'ENOENT' })
    expect(findCommandFailure(missing('spawn git ENOENT'), url)).toMatchObject({ title: 'There is no git on this runner' })
    expect(findCommandFailure(missing("ENOENT: no such file, open 'x'"), url)).toBeUndefined()
  })
})
