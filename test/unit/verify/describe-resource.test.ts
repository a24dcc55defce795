import { describe, expect, it } from 'vitest'
import { describeResource, type ResourceDescription } from '../../../src/verify/describe-resource.ts'

const ISSUERS = ['https://patmint.example.com']

describe('protected resource metadata (RFC 9728)', () => {
  it('stands between host and path of the resource (section 3.1)', () => {
    const WELL_KNOWN = '/.well-known/oauth-protected-resource'
    for (const [resource, path] of [
      ['https://api.example.com', WELL_KNOWN],
      ['https://api.example.com/', WELL_KNOWN],
      ['https://api.example.com/orders', `${WELL_KNOWN}/orders`],
      ['https://api.example.com/orders/', `${WELL_KNOWN}/orders/`],
      ['https://api.example.com:8443/orders?tenant=acme', `${WELL_KNOWN}/orders?tenant=acme`],
    ] as const) {
      const metadata = describeResource({ resource, issuers: ISSUERS })
      expect([resource, metadata.path]).toEqual([resource, path])
      expect(metadata.url).toBe(new URL(resource).origin + path)
    }
  })

  it('says what the service is and takes, with the identifier as it was given (section 2)', () => {
    const whole: ResourceDescription = {
      resource: 'https://api.example.com/orders',
      issuers: ISSUERS,
      scopes: ['orders:read'],
      name: 'Orders',
      documentation: 'https://api.example.com/docs',
    }
    expect(describeResource(whole).document).toEqual({
      resource: 'https://api.example.com/orders',
      authorization_servers: ISSUERS,
      scopes_supported: ['orders:read'],
      bearer_methods_supported: ['header'],
      dpop_signing_alg_values_supported: ['ES256', 'EdDSA', 'Ed25519', 'RS256', 'PS256'],
      resource_name: 'Orders',
      resource_documentation: 'https://api.example.com/docs',
    })
  })

  it('leaves out what is not known, and DPoP where it is not taken', () => {
    expect(
      describeResource({ resource: 'https://api.example.com', issuers: ISSUERS, dpop: false }).document,
    ).toEqual({
      resource: 'https://api.example.com',
      authorization_servers: ISSUERS,
      bearer_methods_supported: ['header'],
    })
  })

  it.each([
    [{ resource: 'orders', issuers: ISSUERS }, 'resource must be an absolute http(s) URL'],
    [{ resource: 'https://api.example.com#x', issuers: ISSUERS }, 'resource must have no fragment'],
    [{ issuers: ISSUERS }, 'resource must be a URL'],
    [{ resource: 'https://api.example.com', issuers: [] }, 'issuers must name at least one issuer'],
    [{}, 'resource must be a URL; issuers must name at least one issuer'],
  ])('refuses %j', (description, problem) => {
    expect(() => describeResource(description as unknown as ResourceDescription)).toThrow(
      new TypeError(`describeResource: ${problem}`),
    )
  })
})
