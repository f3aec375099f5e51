import { describe, expect, it } from '@jest/globals'
import { identities, recipients } from '../../../src/inputs/kinds/keys.ts'
import { makeKeys } from '../../codec/age-files.ts'

const ann = await makeKeys('x25519')
const hanna = await makeKeys('hybrid')

function read(given: string) {
  const says: string[] = []
  return { value: identities({ INPUT_IDENTITY: given })(given.trim(), (each) => says.push(each)), says }
}

describe('identities', () => {
  it.each([
    { name: 'nothing', given: '', value: undefined },
    { name: 'one', given: ann.identity, value: [ann.identity] },
    {
      name: 'what age-keygen writes, several, and empty lines',
      given: `# created: 2026\n# public key: ${ann.recipient}\r\n${ann.identity}\r\n\n  ${hanna.identity}\n# end`,
      value: [ann.identity, hanna.identity],
    },
  ])('are read from $name', ({ given, value }) => {
    expect(read(given)).toEqual({ value, says: [] })
  })

  it.each([
    { name: 'white space alone', given: '\n  \n', says: /^holds white space alone/ },
    { name: 'comments alone', given: '# nothing', says: /^holds no identity/ },
    { name: 'a recipient', given: `# a\n${ann.recipient}`, says: /^line 2 is a recipient/ },
    { name: 'a hybrid recipient', given: hanna.recipient, says: /^line 1 is a recipient/ },
    { name: 'a public key of SSH', given: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI', says: /^line 1 is a key of SSH/ },
    { name: 'a private key of SSH', given: '-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbn\n', says: /^line 1 is a key of SSH/ },
    {
      name: 'a key file with a passphrase',
      given: '-----BEGIN AGE ENCRYPTED FILE-----\nYWdl',
      says: /^line 1 begins a key file.*passphrase/,
    },
    { name: 'lower case', given: ann.identity.toLowerCase(), says: /^line 1 is not in upper case/ },
    { name: 'a plugin', given: `AGE-PLUGIN-YUBIKEY-1${'Q'.repeat(40)}`, says: /^line 1 is a key of a plugin/ },
    { name: 'a typo', given: ann.identity.slice(0, -1), says: /^line 1 is no age identity/ },
    { name: 'the name of a file', given: 'key.txt', says: /^line 1 is no age identity.*not the name of the file/ },
  ])('are refused with words of our own: $name', ({ given, says }) => {
    expect(read(given)).toEqual({ value: undefined, says: [expect.stringMatching(says)] })
  })

  it('are refused in few words, however much was pasted', () => {
    const { says } = read('nonsense\n'.repeat(1000))
    expect([says.length, says.at(-1)]).toEqual([6, '995 more lines cannot be read either'])
  })
})

describe('recipients', () => {
  it.each([
    {
      name: 'two variables that are not set, one a line',
      given: '\n\n',
      says: [expect.stringMatching(/^holds white space alone, so nothing/)],
    },
    { name: 'a space', given: ' ', says: [expect.stringMatching(/^holds white space alone, so nothing/)] },
    { name: 'nothing', given: '', says: [] },
  ])('of $name are none, and whether that is refused', ({ given, says }) => {
    const said: string[] = []
    expect(recipients({ 'INPUT_ENCRYPT-TO': given })(given.trim(), (each) => said.push(each))).toBeUndefined()
    expect(said).toEqual(says)
  })
})
