// docs/integrations, with the real programs: what the service behind each proxy gets, and what its clients get. A proxy
// that this machine does not have is skipped.

import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest'
import { parse } from 'yaml'
import { createVerifier, VerifyError } from '../../../src/verify/index.ts'
import { type Acme, API, startAcme, withAnotherSecret } from '../../support/acme.ts'
import { readBlocks, readLinks } from '../../support/document.ts'
import { bearer, claimsOf } from '../../support/forward-auth.ts'
import { findMissing, PROXIES, type ProxyName, startProxy } from '../../support/proxies.ts'
import type { RunningProxy } from '../../support/proxy-process.ts'
import { callApi } from '../../support/requests.ts'
import { ISSUER } from '../../support/test-server.ts'

const RECIPES = 'docs/integrations'

/** What reached the service. */
interface Received {
  readonly method: string
  readonly url: string
  readonly headers: readonly string[]
  readonly body: string
}

let acme: Acme
let service: Server
let serviceUrl: string
const received: Received[] = []
const proxies = new Map<ProxyName, RunningProxy>()

beforeAll(async () => {
  acme = await startAcme({ PATMINT_TRUSTED_PROXIES: '127.0.0.1/32', PATMINT_FAILURES_PER_CREDENTIAL: '1' })
  service = startService()
  await once(service, 'listening')
  serviceUrl = `http://127.0.0.1:${(service.address() as AddressInfo).port}`
  await Promise.all(PROXIES.map(startIfInstalled))
})
afterAll(async () => {
  await Promise.all([...proxies.values()].map((proxy) => proxy.stop()))
  service.close()
})

async function startIfInstalled(name: ProxyName): Promise<void> {
  const missing = findMissing(name)
  if (missing === undefined) proxies.set(name, await startProxy(name, acme.url, serviceUrl))
  else process.stderr.write(`its recipe is not tested: ${missing}\n`)
}

/** Answers whom it let in, by the access token alone: that of RFC 9068, verified offline. */
function startService(): Server {
  const verifier = createVerifier({
    issuer: ISSUER,
    audience: API,
    // The issuer is not where the server of a test listens.
    fetch: (url, init) => fetch(url.replace(ISSUER, acme.url), init),
  })
  return createServer(async (incoming, response) => {
    let body = ''
    for await (const chunk of incoming) body += String(chunk)
    const { method = '', url = '', rawHeaders: headers } = incoming
    received.push({ method, url, headers, body })
    const [, token = ''] = /^Bearer (\S+)$/.exec(incoming.headers.authorization ?? '') ?? []
    try {
      const { cred, scope } = await verifier.verify(token)
      response.end(JSON.stringify({ cred, scope }))
    } catch (error) {
      response.writeHead(error instanceof VerifyError ? error.status : 500).end(String(error))
    }
  }).listen(0, '127.0.0.1')
}

/** The running proxy, or a word of why there is none. */
function proxyOf(name: ProxyName, { skip }: TestContext): RunningProxy {
  const proxy = proxies.get(name)
  return proxy ?? skip(findMissing(name))
}

const ask = (proxy: RunningProxy, path: string, init: RequestInit = {}) => {
  received.length = 0
  return fetch(proxy.url + path, init)
}
/** The status of the answer to a client at an address of this machine. */
const askFrom = (proxy: RunningProxy, localAddress: string, headers: Record<string, string | string[]>) =>
  new Promise<number | undefined>((resolve, reject) => {
    const sent = request(proxy.url, { localAddress, headers }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode))
    })
    sent.on('error', reject).end()
  })

/** Tokens bound to a key are what nobody can ask for here. */
async function requireProofs(isRequired: boolean): Promise<void> {
  const admin = (method: string, path: string, body?: unknown) =>
    callApi(acme.url, acme.adminToken, method, path, body)
  const { json } = await admin('GET', `/resource-servers?audience=${API}`)
  const [{ id = '' } = {}] = json['items'] as { id?: string }[]
  await admin('PATCH', `/resource-servers/${id}`, { dpop_required: isRequired })
}

const challengeOf = ({ headers }: Response) => headers.get('www-authenticate')

describe.each(PROXIES)('%s', (name) => {
  it('gives the service an access token in place of the credential, and everything else as it was', async (context) => {
    const proxy = proxyOf(name, context)
    const headers = { ...bearer(acme.janePat), 'Content-Type': 'text/plain' }
    const answer = await ask(proxy, '/orders/7?full=yes', { method: 'PUT', headers, body: 'two of them' })
    expect([answer.status, await answer.json()]).toEqual([
      200,
      { cred: acme.janePat.slice(4, 20), scope: 'models:read' },
    ])
    expect(received).toEqual([
      expect.objectContaining({ method: 'PUT', url: '/orders/7?full=yes', body: 'two of them' }),
    ])
    expect(JSON.stringify(received)).not.toContain(acme.janePat.slice(20))
  })

  it('tells Patmint where the client is, and not where the client says it is', async (context) => {
    const proxy = proxyOf(name, context)
    if (process.platform !== 'linux') context.skip('only Linux has all of 127.0.0.0/8')
    const userAgent = `notebook at ${name}`
    const headers = { ...bearer(acme.janePat), 'User-Agent': userAgent, 'X-Forwarded-For': '192.0.2.7' }
    expect(await askFrom(proxy, '127.0.0.2', headers)).toBe(200)
    const record = await acme.db
      .selectFrom('audit_events')
      .select(['type', 'ip', 'client_id'])
      .where('user_agent', '=', userAgent)
      .executeTakeFirst()
    expect(record).toEqual({ type: 'exchange.granted', ip: '127.0.0.2', client_id: 'patmint-forward-auth' })
  })

  it.for<[string, Record<string, string>]>([
    ['no credential', {}],
    ['another scheme', { Authorization: 'Basic eDp5' }],
    ['a cookie', { Cookie: 'token=x' }],
  ])('answers %s with 401 and a challenge, and the service hears nothing', async ([, headers], context) => {
    const answer = await ask(proxyOf(name, context), '/', { headers })
    expect([answer.status, challengeOf(answer), received]).toEqual([401, `Bearer realm="${ISSUER}"`, []])
  })

  it('answers a credential that was revoked with 401, at the next request', async (context) => {
    const proxy = proxyOf(name, context)
    const pat = await acme.issue('sam@acme.test', { name: `revoked at ${name}` })
    expect((await ask(proxy, '/', { headers: bearer(pat) })).status).toBe(200)
    await callApi(acme.url, pat, 'DELETE', `/tokens/${pat.slice(4, 20)}`)
    const answer = await ask(proxy, '/', { headers: bearer(pat) })
    const challenge = `Bearer realm="${ISSUER}", error="invalid_token"`
    expect([answer.status, challengeOf(answer), received]).toEqual([401, challenge, []])
  })

  it('answers too little with 403 and what is needed', async (context) => {
    const proxy = proxyOf(name, context)
    const permissions = [{ audience: API, scopes: ['datasets:read'] }]
    const pat = await acme.issue('jane@acme.test', { name: `narrow at ${name}`, permissions })
    const answer = await ask(proxy, '/', { headers: bearer(pat) })
    const challenge = `Bearer realm="${ISSUER}", error="insufficient_scope", scope="models:read"`
    expect([answer.status, challengeOf(answer), received]).toEqual([403, challenge, []])
  })

  it('lets no credential through beside another one', async (context) => {
    const proxy = proxyOf(name, context)
    const authorization = [acme.janePat, acme.samPat].map((pat) => `Bearer ${pat}`)
    for (const pair of [authorization, authorization.toReversed(), ['Basic eDp5', ...authorization]]) {
      received.length = 0
      await askFrom(proxy, '127.0.0.1', { Authorization: pair })
      const reached = JSON.stringify(received)
      for (const pat of [acme.janePat, acme.samPat]) expect(reached).not.toContain(pat.slice(20))
    }
  })

  it('answers a question that is wrong with what no client takes for its own fault', async (context) => {
    const proxy = proxyOf(name, context)
    await requireProofs(true)
    const { status } = await ask(proxy, '/', { headers: bearer(acme.janePat) })
    await requireProofs(false)
    expect([status, received]).toEqual([name === 'Caddy' ? 400 : 500, []])
  })

  it('tells who has failed too often when to come back', async (context) => {
    const proxy = proxyOf(name, context)
    const pat = await acme.issue('sam@acme.test', { name: `guessed at ${name}` })
    const guess = () => ask(proxy, '/', { headers: bearer(withAnotherSecret(pat)) })
    expect((await guess()).status).toBe(401)
    const { status, headers } = await guess()
    expect([status, Number(headers.get('retry-after')) > 0, received]).toEqual([429, true, []])
  })
})

it('nginx passes on a token of 12 kB', async (context) => {
  proxyOf('nginx', context)
  const authorization = `Bearer ${'x'.repeat(12_000)}`
  const patmint = createServer((_, response) => response.setHeader('Authorization', authorization).end())
  await once(patmint.listen(0, '127.0.0.1'), 'listening')
  const patmintUrl = `http://127.0.0.1:${(patmint.address() as AddressInfo).port}`
  const nginx = await startProxy('nginx', patmintUrl, serviceUrl)
  await ask(nginx, '/', { headers: bearer(acme.janePat) })
  await nginx.stop()
  patmint.close()
  patmint.closeAllConnections()
  expect(received.map(({ headers }) => headers)).toEqual([expect.arrayContaining([authorization])])
})

it('HAProxy lets nobody pass when its script fails', async (context) => {
  proxyOf('HAProxy', context)
  const END = /txn:set_var\(.*\)/
  const failing = await startProxy('HAProxy', acme.url, serviceUrl, (lua) =>
    lua.replace(END, 'error("failed")'),
  )
  const { status } = await ask(failing, '/', { headers: bearer(acme.janePat) })
  await failing.stop()
  expect([status, received]).toEqual([503, []])
})

describe('what the others ask, as their documents have it', () => {
  const readYaml = (document: string): unknown =>
    parse(readBlocks(`${RECIPES}/${document}.md`, 'yaml')[0] ?? '')
  const readQuestion = (document: string, name: string): string =>
    String(findMember(readYaml(document), name)).replace('http://127.0.0.1:8693', '')

  it.each([
    ['traefik', 'address', '', 'GET'],
    ['envoy', 'path_prefix', '/orders/7?full=yes&scope=models:write', 'PUT'],
  ])(
    '%s gets an access token, and the scope that the document names',
    async (document, name, tail, method) => {
      const url = acme.url + readQuestion(document, name) + tail
      const answer = await fetch(url, { method, headers: bearer(acme.samPat) })
      const [, token] = /^Bearer (\S+)$/.exec(answer.headers.get('authorization') ?? '') ?? []
      expect(claimsOf(token)).toMatchObject({ aud: API, scope: 'models:read' })
    },
  )
})

it('the recipes name only files that exist', () => {
  const documents = readdirSync(RECIPES)
  const links = documents.flatMap((document) => readLinks(join(RECIPES, document)))
  expect(links.length).toBeGreaterThan(documents.length)
  for (const link of links) expect(existsSync(join(RECIPES, link)), link).toBe(true)
})

/** The value of a member, wherever it is. */
function findMember(node: unknown, name: string): unknown {
  if (typeof node !== 'object' || node === null) return undefined
  const members = Object.entries(node)
  return new Map(members).get(name) ?? members.map(([, inner]) => findMember(inner, name)).find(isGiven)
}
const isGiven = (value: unknown): boolean => value !== undefined

describe('Patmint gone', () => {
  beforeAll(() => acme.stop())

  it.for(PROXIES)('is a 5xx at %s, and nobody is let in', async (name, context) => {
    const proxy = proxyOf(name, context)
    const answer = await ask(proxy, '/', { headers: bearer(acme.janePat) })
    expect([answer.status, received]).toEqual([expect.toBeOneOf([502, 503]), []])
  })
})
