import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { makeRepository, type Repository } from '../../src/git/repository.ts'
import { askServer } from '../../src/git/server/remote.ts'
import { startSelfSigned } from '../doubles/self-signed.ts'
import { rejection } from '../support/feed.ts'
import { makeTempFolder, type TempFolder } from '../support/process.ts'

let temp: TempFolder

beforeEach(async () => {
  temp = await makeTempFolder('machine')
})

afterEach(async () => await temp[Symbol.asyncDispose]())

const serverUrl = 'https://git.acme.example'

async function repository(environment: Readonly<Record<string, string>> = {}, at = serverUrl): Promise<Repository> {
  const { signal } = new AbortController()
  const remote = { serverUrl: at, name: 'acme/site', token: 'ghs_unit' }
  return await makeRepository(`${at}/acme/site`, remote, {
    environment: { PATH: '/usr/bin:/bin', HOME: temp.path, ...environment },
    temp: temp.path,
    signal,
  })
}

/** What git goes by in the end; undefined if it is not set. */
async function setting({ git }: Repository, key: string): Promise<string | undefined> {
  const { exitCode, stdout } = await git.attempt(['config', '--get-urlmatch', key, `${serverUrl}/acme/site`])
  return exitCode === 0 ? stdout.toString('utf8').trim() : undefined
}

const machineSettings = `
[core]
  ignoreCase = true
  autocrlf = true
  hooksPath = /somewhere
  fsmonitor = true
[commit]
  gpgSign = true
[push]
  gpgSign = true
[fetch]
  fsckObjects = true
[url "https://elsewhere.example/"]
  insteadOf = https://git.acme.example/
[http]
  sslVerify = false
  proxy = http://proxy.acme.example:3128
  postBuffer = 17
  extraHeader = Authorization: Basic c29tZWJvZHk6ZWxzZQ==
[http "https://git.acme.example"]
  sslCAInfo = /etc/acme/ca.pem
  extraHeader = X-Other: 1
[http "https://elsewhere.example"]
  sslCAPath = /etc/elsewhere
`

describe('of the machine’s settings', () => {
  it.each([
    ['http.proxy', 'http://proxy.acme.example:3128'],
    ['http.sslCAInfo', '/etc/acme/ca.pem'],
    ['http.sslCAPath', undefined],
    ['http.sslVerify', undefined],
    ['http.postBuffer', undefined],
    ['core.ignoreCase', 'false'],
    ['core.hooksPath', '/dev/null'],
    ['core.fsmonitor', 'false'],
    ['core.autocrlf', undefined],
    ['commit.gpgSign', undefined],
    ['push.gpgSign', undefined],
    ['fetch.fsckObjects', undefined],
    ['url.https://elsewhere.example/.insteadOf', undefined],
  ])('git takes only what reaches the server: %s is %s', async (key, value) => {
    await writeFile(join(temp.path, '.gitconfig'), machineSettings)
    using made = await repository()
    expect(await setting(made, key)).toBe(value)
  })

  it('no header comes along', async () => {
    await writeFile(join(temp.path, '.gitconfig'), machineSettings)
    using made = await repository()
    const all = (await made.git.run(['config', '--list'])).toString('utf8').split('\n')
    expect(all.filter((line) => /extraheader/i.test(line))).toEqual([
      `http.${serverUrl}/.extraheader=`,
      `http.${serverUrl}/.extraheader=Authorization: Basic ${Buffer.from('x-access-token:ghs_unit').toString('base64')}`,
    ])
  })
})

describe('a server with a certificate of its own', () => {
  it('is refused, and the cure is named', async () => {
    await using server = await startSelfSigned(temp.path)
    using made = await repository({}, server.url)
    expect(await rejection(askServer(made.git, `${server.url}/acme/site`, { branch: 'b', above: 'refs/x/' }))).toMatchObject({
      title: 'The certificate of the git server is not trusted',
      hint: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
      retry: { tries: 1 },
    })
    expect(server.requests()).toBe(0)
  })

  it.each(['NODE_EXTRA_CA_CERTS', 'GIT_SSL_CAINFO', '.gitconfig'])('is reached if %s names it', async (where) => {
    await using server = await startSelfSigned(temp.path)
    const certificate = join(temp.path, 'cert.pem')
    const files = { '.gitconfig': `[http "${server.url}"]\n  sslCAInfo = ${certificate}\n` }
    await writeFile(join(temp.path, '.gitconfig'), files[where as '.gitconfig'] ?? '')
    using made = await repository({ [where]: certificate }, server.url)
    await askServer(made.git, `${server.url}/acme/site`, { branch: 'b', above: 'refs/x/' }).catch(() => undefined)
    expect(server.requests()).toBeGreaterThan(0)
  })

  it('stands beside all others that are trusted already', async () => {
    await using _ = await startSelfSigned(temp.path)
    const [own, extra] = [join(temp.path, 'own.pem'), join(temp.path, 'cert.pem')]
    await writeFile(own, '-- own --\n')
    using made = await repository({ NODE_EXTRA_CA_CERTS: extra, GIT_SSL_CAINFO: own })
    const trusted = await readFile(join(made.folder, 'certificates.pem'), 'utf8')
    expect(trusted).toContain('-- own --')
    expect(trusted).toContain((await readFile(extra, 'utf8')).trim())
    expect(trusted.split('BEGIN CERTIFICATE').length).toBeGreaterThan(100)
  })
})

/** A git in the PATH that does something before or after the real one. */
async function wrapped(script: string): Promise<{ readonly PATH: string }> {
  const bin = join(temp.path, 'bin')
  await mkdir(bin)
  await writeFile(join(bin, 'git'), `#!/bin/sh\n${script}\n`)
  await chmod(join(bin, 'git'), 0o755)
  return { PATH: `${bin}:/usr/bin:/bin` }
}

it.each(['git version 2.30.9', 'git version 1.8.3.1', 'git version 2.9.0.windows.1'])(
  'a git that is too old is refused: %s',
  async (version) => {
    const path = await wrapped(`if [ "$1" = --version ]; then echo "${version}"; else exec /usr/bin/git "$@"; fi`)
    expect(await rejection(repository(path))).toMatchObject({
      code: 'branch-rejected',
      title: 'The git on this runner is too old',
      message: expect.stringMatching(new RegExp(`"${version}".*git 2\\.31 or newer`)),
      hint: expect.stringContaining('2.31'),
    })
  },
)

it.each(['git version 2.31.0', 'git version 2.54.1 (Apple Git-160)', 'git version 3.0.0'])(
  'a git that is new enough is taken: %s',
  async (version) => {
    const path = await wrapped(`if [ "$1" = --version ]; then echo "${version}"; else exec /usr/bin/git "$@"; fi`)
    using made = await repository(path)
    expect((await made.git.run(['rev-parse', '--is-bare-repository'])).toString()).toBe('true\n')
  },
)

it('a folder that seems to belong to somebody else is used all the same', async () => {
  using made = await repository(await wrapped('GIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec /usr/bin/git "$@"'))
  expect((await made.git.run(['rev-parse', '--is-bare-repository'])).toString()).toBe('true\n')
})

it('files whose names differ in case alone stay apart where the disk takes them for one', async () => {
  // What git does when it makes a repository on a Mac or on Windows.
  const path = await wrapped('/usr/bin/git "$@" || exit; [ "$1" != init ] || exec /usr/bin/git config --local core.ignorecase true')
  using made = await repository(path)
  const script =
    'commit refs/x\ncommitter A <a@b> 1700000000 +0000\ndata 0\nM 100644 inline Post/a\ndata 1\nx\nM 100644 inline post/a\ndata 1\ny\n'
  await made.git.run(['fast-import', '--quiet'], {
    input: (async function* () {
      yield Buffer.from(script)
    })(),
  })
  expect((await made.git.run(['ls-tree', '-r', '--name-only', 'refs/x'])).toString()).toBe('Post/a\npost/a\n')
})
