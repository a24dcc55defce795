// RFC 9728, protected resource metadata: what the management API says about itself.

import {
  allowInsecureRequests,
  customFetch,
  processResourceDiscoveryResponse,
  resourceDiscoveryRequest,
} from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ISSUER, startTestServer, type TestServer } from '../support/test-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

const PATH = '/.well-known/oauth-protected-resource/api'

/** Asks this server whatever is asked of its issuer. */
const fetchFromServer = (url: string, init?: RequestInit): Promise<Response> =>
  fetch(url.replace(ISSUER, server.url), init)

describe('the metadata of the management API', () => {
  it('stands where the RFC has it, between host and path of the resource (section 3.1)', async () => {
    const resource = new URL(`${ISSUER}/api`)
    const response = await resourceDiscoveryRequest(resource, {
      [allowInsecureRequests]: true,
      [customFetch]: (url, { headers }) => fetchFromServer(url, { headers }),
    })
    const metadata = await processResourceDiscoveryResponse(resource, response)
    expect(metadata.authorization_servers).toEqual([ISSUER])
  })

  it('says what the resource is and takes (section 2)', async () => {
    const answer = await fetch(server.url + PATH)
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(answer.headers.get('cache-control')).toBe('public, max-age=300')
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    expect(await answer.json()).toEqual({
      resource: `${ISSUER}/api`,
      authorization_servers: [ISSUER],
      scopes_supported: expect.arrayContaining(['tokens:read', 'audit:read']),
      bearer_methods_supported: ['header'],
      dpop_signing_alg_values_supported: ['ES256', 'EdDSA', 'Ed25519', 'RS256', 'PS256'],
      resource_name: 'Patmint management API',
      resource_documentation: `${ISSUER}/docs`,
    })
  })

  it('names the scopes that operations ask for, and no other', async () => {
    const { scopes_supported: named } = (await (await fetch(server.url + PATH)).json()) as {
      scopes_supported: string[]
    }
    const declared = await server.db
      .selectFrom('resource_scopes')
      .innerJoin('resource_servers', 'resource_servers.id', 'resource_scopes.resource_server_id')
      .select('scope')
      .where('audience', '=', `${ISSUER}/api`)
      .execute()
    expect(named.toSorted()).toEqual(declared.map(({ scope }) => scope).toSorted())
  })

  it('is named by the authorization server (section 4)', async () => {
    const metadata = await (await fetch(`${server.url}/.well-known/oauth-authorization-server`)).json()
    expect(metadata).toMatchObject({ protected_resources: [`${ISSUER}/api`] })
  })

  it('is at no other path', async () => {
    for (const path of ['/.well-known/oauth-protected-resource', `${PATH}/`, `${PATH}/v1`])
      expect([path, (await fetch(server.url + path)).status]).toEqual([path, 404])
  })
})

describe('the challenge (section 5.1)', () => {
  it('leads a client that knows nothing but the API to the token endpoint', async () => {
    const refused = await fetch(`${server.url}/api/v1/me`)
    const [, url = ''] =
      /resource_metadata="([^"]+)"/.exec(refused.headers.get('www-authenticate') ?? '') ?? []
    expect(url).toBe(ISSUER + PATH)
    const { authorization_servers: issuers } = (await (await fetchFromServer(url)).json()) as {
      authorization_servers: string[]
    }
    const discovered = await fetchFromServer(`${issuers[0]}/.well-known/oauth-authorization-server`)
    expect(await discovered.json()).toMatchObject({ token_endpoint: `${ISSUER}/oauth2/token` })
  })
})
