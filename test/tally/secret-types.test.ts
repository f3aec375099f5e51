import { describe, expect, it } from '@jest/globals'
import { looksSecret } from '../../src/tally/secret-types.ts'

describe('the name of a type', () => {
  it.each([
    'mux.apiKey',
    'pluginSecrets',
    'sanity.previewUrlSecret',
    'secret',
    'translation.secrets',
    'APIKey',
    'muxAPIKeys',
    'api_key',
    'apikey',
    'vercel-access-token',
    'awsCredentials',
    'authTokenConfig',
    'private.key',
    'smtpPassword',
  ])('says that its documents hold a secret: %s', (type) => {
    expect(looksSecret(type)).toBe(true)
  })

  it.each([
    'post',
    'designToken',
    'token',
    'keyFact',
    'secretary',
    'apiPage',
    'keyword',
    'passwordlessLogin',
    'system.release',
    '',
    '\ud83d',
    '__proto__',
  ])('says nothing of the kind: %s', (type) => {
    expect(looksSecret(type)).toBe(false)
  })
})
