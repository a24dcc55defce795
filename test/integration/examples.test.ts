// The examples as their README has them: the orders service by itself, the batch against the real server until its PAT
// is revoked, and all of it by the one command.

import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { AUDIENCE, createOrdersService } from '../../examples/orders-service/service.ts'
import { runCommand } from '../support/document.ts'
import { canary } from '../support/evidence.ts'
import { callApi, issuePat, requestExchange } from '../support/requests.ts'
import { newDataDir, newSecretKey, runNode, startServerProcess } from '../support/server-process.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { serveIssuer } from '../unit/verify/issuer-fixture.ts'

const PATMINT = resolve('bin/patmint.js')

let services: ReturnType<typeof createOrdersService>[] = []
afterEach(async () => {
  await Promise.all(services.map((service) => service.close()))
  services = []
})

/** Starts the service; gives where it is. */
async function startService(issuer: string): Promise<string> {
  const service = createOrdersService({ issuer, publicUrl: 'https://orders.example.com' })
  services.push(service)
  await service.listen({ host: '127.0.0.1', port: 0 })
  return `http://127.0.0.1:${(service.server.address() as AddressInfo).port}`
}

async function ask(url: string, token: string | null, method = 'GET') {
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` }
  const answer = await fetch(url, { method, headers })
  return {
    status: answer.status,
    body: await answer.json(),
    challenge: answer.headers.get('www-authenticate'),
  }
}

describe('the orders service', () => {
  it('lets a token do with each order what its scopes say, and nothing else', async () => {
    await using issuer = await serveIssuer()
    const url = await startService(issuer.url)
    const can = async (scope: string, path: string, method?: string) =>
      (await ask(url + path, await issuer.issue({ aud: AUDIENCE, scope }), method)).status
    expect([
      await can('orders:read', '/orders'),
      await can('orders:read', '/orders/1'),
      await can('orders/1:read', '/orders/1'),
      await can('orders/1:read', '/orders/2'),
      await can('orders/1:read', '/orders'),
      await can('orders:read', '/orders/1/ship', 'POST'),
      await can('orders/1:ship', '/orders/1/ship', 'POST'),
      await can('orders/1:ship', '/orders/1/ship', 'POST'),
      await can('orders:ship', '/orders/9/ship', 'POST'),
      await can('orders:read', '/orders/9'),
    ]).toEqual([200, 200, 200, 403, 403, 403, 200, 409, 404, 404])
  })

  it('tells whoever has no token where to get one', async () => {
    await using issuer = await serveIssuer()
    const url = await startService(issuer.url)
    const { status, challenge } = await ask(`${url}/orders`, null)
    const metadata = 'resource_metadata="https://orders.example.com/.well-known/oauth-protected-resource"'
    expect([status, challenge]).toEqual([
      401,
      `Bearer ${metadata}, DPoP ${metadata}, algs="ES256 EdDSA Ed25519 RS256 PS256"`,
    ])
    const { body } = await ask(`${url}/.well-known/oauth-protected-resource`, null)
    expect(body).toMatchObject({ resource: AUDIENCE, authorization_servers: [issuer.url] })
  })
})

describe('the batch', () => {
  it('ships orders until its PAT is revoked, which the service learns within the ttl of the status list', async () => {
    const server = await startServerProcess({
      PATMINT_DATABASE_URL: await createTestDatabase(),
      PATMINT_SECRET_KEY: newSecretKey(),
      PATMINT_DATA_DIR: newDataDir(),
      PATMINT_APPLY: 'examples/example.yaml',
      PATMINT_STATUS_LIST_TTL_SECONDS: '1',
    })
    try {
      const admin = server.bootstrapToken()
      const pat = canary(await issuePat(server.url, admin, 'night-batch@acme.test', { name: 'ship orders' }))
      const url = await startService(server.issuer)
      const variables = { PATMINT_ISSUER: server.issuer, PATMINT_TOKEN: pat, PATMINT, ORDERS_URL: url }
      const shipped = await runCommand('examples/ship-orders.sh', ['1', '2'], variables)
      expect(
        shipped
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line)),
      ).toEqual([
        { id: '1', item: 'anvil', shippedBy: pat.slice(4, 20) },
        { id: '2', item: 'rope', shippedBy: pat.slice(4, 20) },
      ])

      const { json } = await requestExchange(server.url, { subject_token: pat, audience: AUDIENCE })
      const token = canary(String(json['access_token']))
      expect((await ask(`${url}/orders`, token)).status).toBe(200)
      const verify = () => runNode([PATMINT, 'verify', token, '--audience', AUDIENCE], variables)
      expect((await verify()).stdout).toMatch(/^verdict {4}valid\nstatus {5}neither revoked nor suspended\n/)

      expect((await callApi(server.url, pat, 'DELETE', `/tokens/${pat.slice(4, 20)}`)).status).toBe(204)
      const revokedAt = performance.now()
      let answer = await ask(`${url}/orders`, token)
      while (answer.status === 200) {
        await new Promise((wake) => setTimeout(wake, 100))
        answer = await ask(`${url}/orders`, token)
      }
      // A second by the list; whoever shares the machine may take some more. Unchecked, it would be five minutes.
      expect(performance.now() - revokedAt).toBeLessThan(10_000)
      expect([answer.status, answer.body]).toEqual([
        401,
        { error: 'invalid_token', error_description: 'The credential behind the token was revoked' },
      ])
      const refused = await verify()
      expect([refused.code, refused.stderr]).toEqual([
        1,
        'error: token_revoked: The credential behind the token was revoked\n',
      ])
      await expect(runCommand('examples/ship-orders.sh', ['3'], variables)).rejects.toThrow(
        'subject_token is not valid',
      )
    } finally {
      await server.stop()
    }
  })
})

describe('npm run example', () => {
  it('shows it all from an empty machine', async () => {
    const { code, stdout, stderr } = await runNode(['examples/run.ts'], {})
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(
      /^Patmint is at http:\S+, the orders service at http:\S+\nThe batch ships orders 1 and 2.*\n\{.*\}\n\{.*\}\nA token for order 1 does not show order 2: 403 .*\nThe PAT is revoked; [\d.]+ s later the service refuses its token: 401 .*\n$/,
    )
    expect(stdout + stderr).not.toMatch(/pat_[0-9a-f]{20}|eyJ/)
  })
})
