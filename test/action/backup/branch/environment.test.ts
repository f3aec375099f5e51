import { describe, expect, it } from '@jest/globals'
import { findToken } from '../../../support/leaks.ts'
import { threeDocuments } from '../../support.ts'
import { startWorld } from './support.ts'

describe('the environment', () => {
  it('bends nothing of what git does, and sends one header only', async () => {
    await using world = await startWorld()
    const run = await world.night(threeDocuments, {
      env: {
        GIT_TRACE: '1',
        GIT_TRACE_CURL: '1',
        GIT_CURL_VERBOSE: '1',
        GIT_DIR: '/nowhere',
        GIT_WORK_TREE: '/nowhere',
        GIT_INDEX_FILE: '/nowhere',
        GIT_OBJECT_DIRECTORY: '/nowhere',
        GIT_CONFIG_COUNT: '1',
        GIT_CONFIG_KEY_0: 'http.extraheader',
        GIT_CONFIG_VALUE_0: 'Authorization: Basic b3RoZXI6b3RoZXI=',
        GIT_CONFIG_PARAMETERS: "'http.extraheader=Authorization: Basic b3RoZXI6b3RoZXI='",
      },
    })
    expect(run.exitCode).toBe(0)
    const sent = world.git.requests.map(({ authorization }) => authorization)
    expect(new Set(sent)).toEqual(
      new Set([`Basic ${Buffer.from('x-access-token:ghs_doubleTokenOfTheWorkflow0123456789').toString('base64')}`]),
    )
    expect(findToken(Buffer.from('x-access-token:ghs_doubleTokenOfTheWorkflow0123456789').toString('base64'), { seen: run.seen })).toEqual(
      [],
    )
  })
})
