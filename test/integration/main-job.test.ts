// The main job with clients other people wrote: oauth4webapi exchanges and validates, jsonwebtoken with jwks-rsa and
// patmint/verify verify the same token. Once against one server, once against two on one database.

import jsonwebtoken from 'jsonwebtoken'
import { JwksClient } from 'jwks-rsa'
import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PAT_TYPE, TOKEN_EXCHANGE_GRANT } from '../../src/protocol/urn.ts'
import { createVerifier } from '../../src/verify/index.ts'
import { canary } from '../support/evidence.ts'
import { issuePat } from '../support/requests.ts'
import {
  newDataDir,
  newSecretKey,
  runServerCommand,
  type ServerProcess,
  startServerProcess,
} from '../support/server-process.ts'
import { createTestDatabase } from '../support/test-database.ts'

const AUDIENCE = 'https://api.example.com'
const ISSUER = 'http://sts.example.test'

interface Instance {
  /** Where this instance listens; its issuer is the deployment's. */
  readonly url: string
}

/** A fetch that reaches the deployment's public name at one instance, as a load balancer would. */
function routeTo({ url }: Instance) {
  return (
    input: string,
    options: {
      method: string
      headers: Record<string, string>
      body?: ConstructorParameters<typeof Response>[0] | undefined
    },
  ) =>
    fetch(input.replace(ISSUER, url), {
      method: options.method,
      headers: options.headers,
      body: options.body ?? null,
    })
}

/** How oauth4webapi reaches an instance: through its public name, in plain http as behind a proxy. */
const through = (instance: Instance) => ({
  [oauth.customFetch]: routeTo(instance),
  [oauth.allowInsecureRequests]: true,
})

async function discover(instance: Instance): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(ISSUER)
  const response = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...through(instance) })
  return oauth.processDiscoveryResponse(issuer, response)
}

async function exchange(
  instance: Instance,
  pat: string,
  scope: string,
): Promise<oauth.TokenEndpointResponse> {
  const server = await discover(instance)
  const client: oauth.Client = { client_id: 'orders-service' }
  const response = await oauth.genericTokenEndpointRequest(
    server,
    client,
    oauth.ClientSecretBasic(canary('orders-service-secret-0123456789')),
    TOKEN_EXCHANGE_GRANT,
    { subject_token: pat, subject_token_type: PAT_TYPE, audience: AUDIENCE, scope },
    through(instance),
  )
  return oauth.processGenericTokenEndpointResponse(server, client, response)
}

async function validateWithOauth4webapi(
  instance: Instance,
  token: string,
): Promise<oauth.JWTAccessTokenClaims> {
  const request = new Request(`${AUDIENCE}/models`, { headers: { Authorization: `Bearer ${token}` } })
  return oauth.validateJwtAccessToken(await discover(instance), request, AUDIENCE, through(instance))
}

async function verifyWithJsonwebtoken(instance: Instance, token: string): Promise<jsonwebtoken.JwtPayload> {
  const keys = new JwksClient({ jwksUri: `${instance.url}/.well-known/jwks.json` })
  const kid = jsonwebtoken.decode(token, { complete: true })?.header.kid
  const key = await keys.getSigningKey(kid)
  const claims = jsonwebtoken.verify(token, key.getPublicKey(), {
    algorithms: ['ES256'],
    issuer: ISSUER,
    audience: AUDIENCE,
  })
  return claims as jsonwebtoken.JwtPayload
}

function verifyWithPatmint(instance: Instance, token: string) {
  const verifier = createVerifier({
    issuer: ISSUER,
    audience: AUDIENCE,
    jwksUri: `${instance.url}/.well-known/jwks.json`,
    statusList: { url: `${instance.url}/oauth2/status-lists` },
    allowInsecureHttp: true,
  })
  return verifier.verify(token)
}

describe.each([
  { deployment: 'one server', instances: 1 },
  { deployment: 'two servers on one database', instances: 2 },
])('the main job with $deployment', ({ instances }) => {
  const servers: ServerProcess[] = []
  let pat = ''
  const first = (): ServerProcess => servers[0] as ServerProcess
  const last = (): ServerProcess => servers.at(-1) as ServerProcess

  beforeAll(async () => {
    const variables = {
      PATMINT_ISSUER: ISSUER,
      PATMINT_DATABASE_URL: await createTestDatabase(),
      PATMINT_SECRET_KEY: newSecretKey(),
      PATMINT_DATA_DIR: newDataDir(),
      ORDERS_SECRET: canary('orders-service-secret-0123456789'),
    }
    // All at once, so that migrations, bootstrap and key creation meet on the empty database.
    servers.push(
      ...(await Promise.all(Array.from({ length: instances }, () => startServerProcess(variables)))),
    )
    const applied = await runServerCommand(['apply', '-f', 'config/example.yaml'], variables)
    expect(applied).toMatchObject({ code: 0, stderr: '' })
    pat = await issuePat(first().url, first().bootstrapToken(), 'jane@acme.test', { name: 'laptop' })
  })

  afterAll(async () => {
    expect(await Promise.all(servers.map((server) => server.stop()))).toEqual(servers.map(() => 0))
  })

  it('exchanges a PAT made at one instance at another, by oauth4webapi', async () => {
    const response = await exchange(last(), pat, 'models:read')
    expect(response).toMatchObject({
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'bearer',
      expires_in: 300,
      scope: 'models:read',
    })
    expect(response.refresh_token).toBeUndefined()
  })

  it("verifies one instance's token with another's keys, by three libraries that agree on its claims", async () => {
    const { access_token: token } = await exchange(last(), pat, 'models/m1:read')
    const claims = await validateWithOauth4webapi(first(), token)
    expect(await verifyWithJsonwebtoken(first(), token)).toEqual(claims)
    expect(await verifyWithPatmint(first(), token)).toEqual(claims)
    expect(claims).toEqual({
      iss: ISSUER,
      sub: expect.stringMatching(/^[0-9a-f-]{36}$/),
      aud: AUDIENCE,
      client_id: 'orders-service',
      scope: 'models/m1:read',
      org: 'acme',
      cred: pat.slice(4, 20),
      status: { status_list: { idx: expect.any(Number), uri: expect.stringMatching(/\/status-lists\/0$/) } },
      jti: expect.any(String),
      iat: expect.any(Number),
      exp: claims.iat + 300,
    })
  })

  it('publishes the same metadata and keys at every instance', async () => {
    for (const path of ['/.well-known/openid-configuration', '/.well-known/jwks.json']) {
      const texts = await Promise.all(servers.map(async ({ url }) => (await fetch(url + path)).text()))
      expect(new Set(texts).size).toBe(1)
    }
  })

  it('verifies offline: with keys and list fetched once, every server may be down', async () => {
    const { access_token: token } = await exchange(first(), pat, 'models:read')
    const get = async (path: string) => (await fetch(last().url + path)).text()
    const answers = [await get('/.well-known/jwks.json'), await get('/oauth2/status-lists/0')]
    let calls = 0
    const verifier = createVerifier({
      issuer: ISSUER,
      audience: AUDIENCE,
      allowInsecureHttp: true,
      fetch: async () => {
        calls += 1
        if (calls > answers.length) throw new TypeError('the network is gone')
        return new Response(answers[calls - 1])
      },
    })
    await verifier.verify(token)
    expect((await verifier.verify(token)).scope).toBe('models:read')
    expect(calls).toBe(2)
  })
})
