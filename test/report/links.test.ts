import { describe, expect, it } from '@jest/globals'
import { docsAddress, doorAddress, errorPage } from '../../src/report/links.ts'

describe('the page of an error', () => {
  const used = { GITHUB_ACTION_REPOSITORY: 'acme/sanity-backup', GITHUB_ACTION_REF: 'v1' }

  it.each([
    { name: 'of a tag', env: used, page: 'https://github.com/acme/sanity-backup/blob/v1/docs/errors.md#disk-full' },
    {
      name: 'of a branch with odd letters',
      env: { ...used, GITHUB_ACTION_REF: 'fix/a#b c' },
      page: 'https://github.com/acme/sanity-backup/blob/fix/a%23b%20c/docs/errors.md#disk-full',
    },
    {
      name: 'at a server of one’s own',
      env: { ...used, GITHUB_SERVER_URL: 'https://git.acme.example/' },
      page: 'https://git.acme.example/acme/sanity-backup/blob/v1/docs/errors.md#disk-full',
    },
    { name: 'of an action that is used from a path', env: {}, page: 'docs/errors.md#disk-full' },
    { name: 'of a repository that is none', env: { ...used, GITHUB_ACTION_REPOSITORY: 'a/b/c](x' }, page: 'docs/errors.md#disk-full' },
    { name: 'at a server that is none', env: { ...used, GITHUB_SERVER_URL: 'nowhere' }, page: 'docs/errors.md#disk-full' },
  ])('is found: $name', ({ env, page }) => {
    expect(errorPage('disk-full', docsAddress(env))).toBe(page)
  })
})

describe('another door of the action', () => {
  it.each([
    { name: 'of a tag', docs: 'https://github.com/acme/sanity-backup/blob/v1/docs', uses: 'acme/sanity-backup/restore@v1' },
    { name: 'of a branch', docs: 'https://git.acme.example/a/b/blob/fix/a%23b/docs', uses: 'a/b/restore@fix/a#b' },
    { name: 'of an action that is used from a path', docs: undefined, uses: './restore' },
  ])('is used by the same repository and ref: $name', ({ docs, uses }) => {
    expect(doorAddress('restore', docs)).toBe(uses)
  })
})
