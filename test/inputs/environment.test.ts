import { describe, expect, it } from '@jest/globals'
import { checkEnvironment } from '../../src/inputs/environment.ts'

describe('checkEnvironment', () => {
  it.each([
    { what: 'certificates that nobody checks', env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' }, names: 'NODE_TLS_REJECT_UNAUTHORIZED' },
    { what: 'debugging of requests', env: { NODE_DEBUG: 'http' }, names: 'NODE_DEBUG' },
    { what: 'debugging of the network among others', env: { NODE_DEBUG: 'module, NET' }, names: 'NODE_DEBUG' },
    { what: 'debugging of everything', env: { NODE_DEBUG: '*' }, names: 'NODE_DEBUG' },
    { what: 'debugging of much', env: { NODE_DEBUG: 'htt*' }, names: 'NODE_DEBUG' },
    { what: 'a proxy that is no URL', env: { HTTPS_PROXY: 'proxy.acme.example' }, names: 'HTTPS_PROXY' },
    { what: 'a proxy of another kind', env: { http_proxy: 'socks5://proxy:1080' }, names: 'http_proxy' },
    { what: 'a proxy whose password holds a bare %', env: { HTTPS_PROXY: 'http://me:100%sure@proxy:3128' }, names: 'HTTPS_PROXY' },
  ])('refuses $what, and names the variable', ({ env, names }) => {
    expect(() => checkEnvironment(env)).toThrow(expect.objectContaining({ code: 'input-invalid', message: expect.stringContaining(names) }))
  })

  it.each([
    { what: 'nothing', env: {} },
    { what: 'a checked TLS', env: { NODE_TLS_REJECT_UNAUTHORIZED: '1' } },
    { what: 'debugging that tells nothing of requests', env: { NODE_DEBUG: 'module,timer' } },
    { what: 'a proxy with a password', env: { HTTPS_PROXY: 'http://me:secret%20word@proxy:3128', NO_PROXY: 'localhost' } },
    { what: 'empty variables', env: { HTTP_PROXY: '', NODE_DEBUG: '' } },
  ])('takes $what', ({ env }) => {
    expect(() => checkEnvironment(env)).not.toThrow()
  })

  it('never repeats the address of a proxy, which may hold its password', () => {
    const env = { HTTPS_PROXY: 'me:proxy-password@host' }
    expect(() => checkEnvironment(env)).toThrow(expect.objectContaining({ message: expect.not.stringContaining('proxy-password') }))
  })
})
