import { describe, expect, it } from 'vitest'
import type { GuardOptions } from '../../../src/verify/guard-options.ts'
import { createGuard } from '../../../src/verify/guard-request.ts'
import { CLAIMS } from './issuer-fixture.ts'

const verifier = { takesDpop: false, verifyRequest: async () => CLAIMS }
const takesDpop = { ...verifier, takesDpop: true }
const REQUEST = { method: 'GET', target: '/orders', authorization: undefined, dpop: undefined }

/** Callers in plain JavaScript may pass anything at all. */
const create = (options: unknown) => createGuard(options as GuardOptions<null>)

describe('the options of a guard', () => {
  it.each([
    [undefined, 'options must be an object'],
    [null, 'options must be an object'],
    [{}, 'verifier must be what createVerifier made'],
    [{ verifier: {} }, 'verifier must be what createVerifier made'],
    [
      { verifier, scope: [] },
      'scope must name at least one scope, each without spaces and wildcards, or be a function',
    ],
    [
      { verifier, scope: 'orders:*' },
      'scope must name at least one scope, each without spaces and wildcards, or be a function',
    ],
    [
      { verifier, scope: ['orders:read', 'a b'] },
      'scope must name at least one scope, each without spaces and wildcards, or be a function',
    ],
    [
      { verifier, scope: null },
      'scope must name at least one scope, each without spaces and wildcards, or be a function',
    ],
    [{ verifier, realm: 'a"b' }, 'realm must be printable ASCII without quotation marks and backslashes'],
    [{ verifier, realm: '' }, 'realm must be printable ASCII without quotation marks and backslashes'],
    [{ verifier, scopes: ['orders:read'] }, 'scopes is no option'],
    [{ verifier, metadata: {} }, 'metadata must be what describeResource made'],
    [{ verifier, publicUrl: 'orders' }, 'publicUrl must be an absolute http(s) URL'],
    [{ verifier, publicUrl: 'https://a.example?x' }, 'publicUrl must have no query and no fragment'],
    [{ verifier, publicUrl: null }, 'publicUrl must be a URL'],
    [
      { verifier: takesDpop },
      'publicUrl must be named, for DPoP proofs are made for a URL; or createVerifier must get dpop: null',
    ],
  ])('%j are refused', (options, problem) => {
    expect(() => create(options)).toThrow(new TypeError(`requireToken: ${problem}`))
  })

  it('are refused with every problem at once', () => {
    expect(() => create({ verifier, scope: '', realm: '\\' })).toThrow(
      new TypeError(
        'requireToken: scope must name at least one scope, each without spaces and wildcards, or be a function; ' +
          'realm must be printable ASCII without quotation marks and backslashes',
      ),
    )
  })

  it.each([
    [{ verifier }],
    [{ verifier: takesDpop, publicUrl: 'http://10.0.0.7:8080/shop' }],
    [{ verifier: takesDpop, publicUrl: () => 'https://api.example.com/orders' }],
    [{ verifier, scope: 'orders:read', realm: 'all orders' }],
    [{ verifier, scope: ['orders:read', 'openid'] }],
  ])('%j are taken', (options) => {
    expect(create(options)).toBeTypeOf('function')
  })
})

describe('a function that tells the scope', () => {
  const guardWith = (scope: () => unknown) => create({ verifier, scope })

  it('may take its time', async () => {
    expect(await guardWith(async () => ['models:read', 'datasets:read'])(REQUEST, null)).toMatchObject({
      ok: true,
    })
    expect(await guardWith(async () => 'orders:write')(REQUEST, null)).toMatchObject({ ok: false })
  })

  it('lets nobody on by telling none', async () => {
    for (const none of [[], undefined, null])
      await expect(guardWith(() => none)(REQUEST, null)).rejects.toThrow(TypeError)
  })
})
