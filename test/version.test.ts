import { readFileSync } from 'node:fs'
import { expect, it } from '@jest/globals'
import { toolVersion } from '../src/version.ts'

it('says the version of package.json in every snapshot', () => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
  expect(toolVersion).toBe(version)
})
