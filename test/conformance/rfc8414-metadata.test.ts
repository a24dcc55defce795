// RFC 8414, authorization server metadata; OIDC Discovery; RFC 7517, the key set. What the server says about itself
// depends on its configuration alone.

import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ISSUER, startTestServer, type TestServer } from '../support/test-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

const PATHS = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']

/** Sends bytes as they are; gives the status line and the body. */
async function sendRaw(head: string): Promise<{ status: string; body: string }> {
  const { hostname, port } = new URL(server.url)
  const socket = connect(Number(port), hostname)
  socket.write(`${head}\r\nConnection: close\r\n\r\n`)
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  const [status = ''] = text.split('\r\n')
  return { status, body: text.slice(text.indexOf('\r\n\r\n') + 4) }
}

describe('metadata', () => {
  it('describes what is on, and nothing that is off', async () => {
    const answer = await fetch(server.url + PATHS[0])
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(answer.headers.get('cache-control')).toBe('public, max-age=300')
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    expect(await answer.json()).toEqual({
      issuer: ISSUER,
      token_endpoint: `${ISSUER}/oauth2/token`,
      jwks_uri: `${ISSUER}/.well-known/jwks.json`,
      grant_types_supported: ['urn:ietf:params:oauth:grant-type:token-exchange'],
      response_types_supported: [],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
      token_endpoint_auth_methods_supported: [
        'none',
        'client_secret_basic',
        'client_secret_post',
        'private_key_jwt',
      ],
      token_endpoint_auth_signing_alg_values_supported: ['ES256', 'PS256', 'RS256', 'EdDSA'],
      status_list_aggregation_endpoint: `${ISSUER}/oauth2/status-lists`,
      dpop_signing_alg_values_supported: ['ES256', 'EdDSA', 'Ed25519', 'RS256', 'PS256'],
      introspection_endpoint: `${ISSUER}/oauth2/introspect`,
      introspection_endpoint_auth_methods_supported: [
        'client_secret_basic',
        'client_secret_post',
        'private_key_jwt',
      ],
      introspection_endpoint_auth_signing_alg_values_supported: ['ES256', 'PS256', 'RS256', 'EdDSA'],
      revocation_endpoint: `${ISSUER}/oauth2/revoke`,
      revocation_endpoint_auth_methods_supported: ['none'],
      protected_resources: [`${ISSUER}/api`],
    })
  })

  it.each(PATHS)('is byte-equal at %s whatever the Host header or the request line says', async (path) => {
    const plain = await (await fetch(server.url + path)).text()
    for (const head of [
      `GET ${path} HTTP/1.1\r\nHost: evil.test`,
      `GET http://evil.test${path} HTTP/1.1\r\nHost: evil.test`,
      `GET https://evil.test:8443${path} HTTP/1.1\r\nHost: ${new URL(ISSUER).host}`,
      `GET http://user:pw@evil.test${path} HTTP/1.1\r\nHost: evil.test`,
      `GET ${path} HTTP/1.1\r\nHost: evil.test\r\nX-Forwarded-Host: evil.test\r\nX-Forwarded-Proto: gopher\r\nForwarded: host=evil.test`,
    ]) {
      expect(await sendRaw(head)).toEqual({ status: 'HTTP/1.1 200 OK', body: plain })
    }
  })

  it('is the same document at both paths', async () => {
    const [one, other] = await Promise.all(PATHS.map(async (path) => (await fetch(server.url + path)).text()))
    expect(one).toBe(other)
  })

  it('names no endpoint that does not answer', async () => {
    const metadata = (await (await fetch(server.url + PATHS[0])).json()) as Record<string, unknown>
    const named = Object.entries(metadata).filter(([name]) => /_(endpoint|uri)$/.test(name))
    expect(named.length).toBeGreaterThanOrEqual(4)
    for (const [name, url] of named) {
      const { pathname } = new URL(String(url))
      const method = /^(jwks_uri|status_list_aggregation_endpoint)$/.test(name) ? 'GET' : 'POST'
      // An empty form is refused by whoever is there, and by nobody else.
      const { status } = await fetch(server.url + pathname, { method })
      expect([name, status]).toEqual([name, method === 'GET' ? 200 : 400])
    }
  })

  it('has no endpoint for what is not on', async () => {
    for (const path of [
      '/oauth2/authorize',
      '/oauth2/device_authorization',
      '/auth',
      '/me',
      '/session/end',
      '/token',
    ]) {
      expect([path, (await fetch(server.url + path)).status]).toEqual([path, 404])
    }
  })
})

describe('the key set', () => {
  it('holds one public key per algorithm and says how long it may be kept', async () => {
    const answer = await fetch(`${server.url}/.well-known/jwks.json`)
    expect(answer.headers.get('content-type')).toBe('application/jwk-set+json')
    expect(answer.headers.get('cache-control')).toBe('public, max-age=300')
    const { keys } = (await answer.json()) as { keys: Record<string, string>[] }
    expect(keys.map(({ alg }) => alg).sort()).toEqual(['ES256', 'EdDSA', 'PS256', 'RS256'])
    const members = new Set(keys.flatMap((key) => Object.keys(key)))
    expect([...members].sort()).toEqual(['alg', 'crv', 'e', 'kid', 'kty', 'n', 'use', 'x', 'y'])
    expect(new Set(keys.map(({ kid }) => kid)).size).toBe(4)
  })
})
