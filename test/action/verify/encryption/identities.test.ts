import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { makeKeys } from '../../../codec/age-files.ts'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { ann, bob } from '../../backup/encryption/support.ts'
import { backUp, threeDocuments } from '../../support.ts'
import { copyOf, ground, onlyIn, piecesOfKeys, verifyWith } from '../support.ts'

const eve = await makeKeys('x25519')
const hanna = await makeKeys('hybrid')

/** An encrypted snapshot in a folder, and one in the clear. */
let sealed: string
let plain: string

beforeAll(async () => {
  await using sanity = await startSanity({ documents: threeDocuments })
  const inputs = { 'encrypt-to': `${ann.recipient}\n${bob.recipient}` }
  await using run = await backUp({ sanity }, { path: join(ground, 'sealed'), inputs })
  await using other = await backUp({ sanity }, { path: join(ground, 'plain') })
  expect([run.exitCode, other.exitCode]).toEqual([0, 0])
  sealed = await onlyIn(join(ground, 'sealed'))
  plain = await onlyIn(join(ground, 'plain'))
})

const openssh = '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ\n-----END OPENSSH PRIVATE KEY-----'
const withPassphrase =
  '-----BEGIN AGE ENCRYPTED FILE-----\nYWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IHNjcnlwdCBhYmNkZWZnaGlqa2xtbm9w\n-----END AGE ENCRYPTED FILE-----'
/** With another character in its middle: the library would print all of it. */
const typo = (key: string) => `${key.slice(0, 30)}${key.charAt(30) === 'Q' ? 'P' : 'Q'}${key.slice(31)}`

describe('an identity that cannot be used is refused, and no part of it is shown', () => {
  // Each run is looked through for the identity: see `verifyWith`.
  it.each([
    { name: 'nothing but comments', identity: '# nothing', says: 'holds no identity' },
    { name: 'a typo', identity: `${bob.identity}\n${typo(ann.identity)}`, says: 'line 2 is no age identity' },
    { name: 'a typo in a hybrid one', identity: typo(hanna.identity), says: 'line 1 is no age identity' },
    { name: 'one that was cut off', identity: ann.identity.slice(0, -5), says: 'line 1 is no age identity' },
    { name: 'its end alone', identity: ann.identity.slice(20), says: 'line 1 is no age identity' },
    { name: 'two on a line', identity: `${ann.identity} ${bob.identity}`, says: 'line 1 is no age identity' },
    { name: 'one over two lines', identity: ann.identity.replace(/^.{40}/, '$&\n'), says: 'line 2 is no age identity' },
    { name: 'one in quotes', identity: `"${ann.identity}"`, says: 'line 1 is no age identity' },
    { name: 'one in JSON', identity: JSON.stringify({ key: ann.identity }), says: 'line 1 is no age identity' },
    { name: 'one in base64', identity: Buffer.from(ann.identity).toString('base64'), says: 'line 1 is no age identity' },
    { name: 'lower case', identity: ann.identity.toLowerCase(), says: 'line 1 is not in upper case' },
    { name: 'a recipient', identity: ann.recipient, says: 'line 1 is a recipient' },
    { name: 'a public key of SSH', identity: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW ann@home', says: 'line 1 is a key of SSH' },
    { name: 'a private key of SSH', identity: openssh, says: 'line 1 is a key of SSH' },
    { name: 'a key file with a passphrase', identity: withPassphrase, says: 'line 1 begins a key file' },
    { name: 'a key of a plugin', identity: `AGE-PLUGIN-YUBIKEY-1${'Q7WERTZ5'.repeat(5)}`, says: 'line 1 is a key of a plugin' },
  ])('$name', async ({ identity, says }) => {
    await using run = await verifyWith({ inputs: { path: sealed, identity } })
    expect(run.code).toBe('input-invalid')
    expect(run.error?.message).toContain(`identity: ${says}`)
    for (const line of identity.split('\n').filter((each) => !each.startsWith('#'))) {
      expect(run.masks).toContain(line)
      expect(run.stdout.indexOf(`::add-mask::${line.slice(0, 20)}`)).toBeLessThan(run.stdout.indexOf('::error'))
    }
  })

  it('under a misspelt name', async () => {
    await using run = await verifyWith({ inputs: { path: sealed }, env: { INPUT_IDENTIY: ann.identity } })
    expect(run.code).toBe('input-invalid')
    expect(run.error?.message).toContain('identiy: is not an input of this action. Did you mean `identity`?')
    expect(await piecesOfKeys(run, ann.identity)).toEqual([])
  })

  it('in another input', async () => {
    await using run = await verifyWith({ inputs: { path: sealed, identity: ann.identity, dataset: ann.identity } })
    expect(run.code).toBe('input-invalid')
  })
})

describe('an encrypted snapshot is locked', () => {
  it('without an identity, and the error says so and names the recipients', async () => {
    await using run = await verifyWith({ inputs: { path: sealed, 'fetch-to': join(ground, 'locked') } })
    expect(run.code).toBe('snapshot-locked')
    expect(run.error?.message).toContain(`encrypted to ${ann.recipient}, ${bob.recipient}`)
    expect(run.error?.message).toContain('`identity` is empty')
  })

  it.each([
    { name: 'of somebody else', identity: eve.identity },
    { name: 'of another kind', identity: `# hanna\n${hanna.identity}\n` },
  ])('with an identity $name, and nothing is left', async ({ identity }) => {
    const to = join(ground, 'others')
    await using run = await verifyWith({ inputs: { path: sealed, identity, 'fetch-to': to } })
    expect(run.code).toBe('snapshot-locked')
    expect(run.error?.message).toContain(`encrypted to ${ann.recipient}, ${bob.recipient}`)
    expect(await run.filesLeft(to)).toEqual([])
    expect(await run.filesLeft()).toEqual([])
  })

  it('at level structure it is looked at all the same, and the content was not read', async () => {
    await using run = await verifyWith({ inputs: { path: sealed, level: 'structure' } })
    expect(run.outputs).toMatchObject({ status: 'verified', 'document-count': '3' })
    expect(run.log).toContain('its content is not read')
    expect(run.summary).toContain('nothing was opened')
  })

  it('a finding is one even then: a file that is gone, at level structure', async () => {
    const copy = await copyOf(sealed)
    await rm(join(copy, 'details.json.age'))
    await using run = await verifyWith({ inputs: { path: copy, level: 'structure' } })
    expect(run.kinds).toEqual(['file-missing'])
  })
})

it.each([
  { name: 'the first recipient', identity: ann.identity },
  { name: 'the second, among others and comments', identity: `# eve\r\n${eve.identity}\r\n\r\n# bob\r\n${bob.identity}\r\n` },
])('the key of $name opens it', async ({ identity }) => {
  await using run = await verifyWith({ inputs: { path: sealed, identity } })
  expect(run.findings).toEqual([])
  expect(run.outputs).toMatchObject({ status: 'verified', 'document-count': '3' })
  expect(run.summary).toContain('every byte, and all that was encrypted')
})

it('an identity for a snapshot in the clear is a warning', async () => {
  await using run = await verifyWith({ inputs: { path: plain, identity: ann.identity } })
  expect(run.outputs['status']).toBe('verified')
  expect(run.warnings).toEqual([expect.stringContaining('is not encrypted')])
})
