import { describe, expect, it } from '@jest/globals'
import { makeKeys } from '../../../codec/age-files.ts'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { findToken } from '../../../support/leaks.ts'
import { backUp, failureOf, threeDocuments } from '../../support.ts'
import { ann, bob } from './support.ts'

const hybrid = await makeKeys('hybrid')
/** A recipient of only zeros: it has the form of one, and nothing can be encrypted to it. */
const lowOrder = 'age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z'

describe('encrypt-to', () => {
  const typo = ann.identity.replace(/.$/, (last) => (last === 'Q' ? 'P' : 'Q'))

  it.each([
    { name: 'nothing but a comment', value: '# age1…', says: 'holds no recipient' },
    { name: 'a typo', value: `${ann.recipient}\n${bob.recipient.slice(0, -1)}x`, says: 'line 2 is no age recipient' },
    { name: 'two kinds', value: `${ann.recipient}\n${hybrid.recipient}`, says: 'line 2 is a recipient of another kind' },
    { name: 'upper case', value: ann.recipient.toUpperCase(), says: 'line 1 is not in lower case' },
    { name: 'a key of SSH', value: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW', says: 'line 1 is a recipient of a kind' },
    { name: 'a secret key', value: `${bob.recipient}\n${ann.identity}`, says: 'line 2 holds a secret key' },
    { name: 'a secret key in lower case', value: ann.identity.toLowerCase(), says: 'line 1 holds a secret key' },
    { name: 'a secret key with a typo', value: typo, says: 'line 1 holds a secret key' },
    { name: 'a secret key in a comment', value: `${bob.recipient}\n# ${ann.identity}`, says: 'line 2 holds a secret key' },
    { name: 'a hybrid secret key', value: hybrid.identity, says: 'line 1 holds a secret key' },
  ])('refuses $name before the first request, and shows no part of a secret key', async ({ value, says }) => {
    await using sanity = await startSanity({ documents: threeDocuments })
    await using run = await backUp({ sanity }, { inputs: { 'encrypt-to': value } })
    expect(failureOf(run)).toMatchObject({ exitCode: 1, code: 'input-invalid', message: expect.stringContaining(`encrypt-to: ${says}`) })
    expect(sanity.requests).toEqual([])
    const texts = { log: run.stdout, stderr: run.stderr, summary: run.summary, outputs: JSON.stringify(run.outputs) }
    const secret = (identity: string) => identity.slice('AGE-SECRET-KEY-'.length)
    for (const identity of [ann.identity, hybrid.identity, typo, ann.identity.toLowerCase()]) {
      expect(findToken(secret(identity).replace(/^PQ-/, ''), texts)).toEqual([])
    }
  })

  it('masks a secret key before anything else is printed', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })
    await using run = await backUp({ sanity }, { inputs: { 'encrypt-to': ann.identity } })
    expect(run.stdout).toContain(`::add-mask::${ann.identity}`)
    expect(run.stdout.indexOf(ann.identity)).toBeLessThan(run.stdout.indexOf('encrypt-to:'))
  })

  it('refuses a recipient to which nothing can be encrypted, before the first request', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })
    await using run = await backUp({ sanity }, { inputs: { 'encrypt-to': `${ann.recipient}\n${lowOrder}` } })
    expect(failureOf(run)).toMatchObject({
      exitCode: 1,
      code: 'input-invalid',
      message: expect.stringContaining('nothing can be encrypted to line 2'),
    })
    expect(sanity.requests).toEqual([])
  })

  it('refuses a branch whose documents lie in files of text', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })
    await using run = await backUp({ sanity }, { inputs: { 'encrypt-to': ann.recipient, destination: 'branch' } })
    expect(failureOf(run)).toMatchObject({ code: 'input-invalid', message: expect.stringMatching(/branch-layout: must be `compressed`/) })
    expect(sanity.requests).toEqual([])
  })
})
