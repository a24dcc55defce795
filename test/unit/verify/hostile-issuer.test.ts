// An issuer that answers wrongly, slowly or not at all, over real HTTP, and tokens that would have it asked: no verification
// takes longer than it may, nothing that is known is lost, nobody is asked but the issuer, and seldom.

import type { RequestListener } from 'node:http'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { VerifierOptions } from '../../../src/verify/index.ts'
import {
  AUDIENCE,
  CLAIMS,
  catchRefusal,
  createSigningKey,
  type IssuerServer,
  LISTS_PATH,
  openVerifier,
  serveIssuer,
  signToken,
} from './issuer-fixture.ts'

const JWKS_PATH = '/.well-known/jwks.json'
const ANSWERS: Readonly<Record<string, RequestListener>> = {
  HTML: (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Welcome</html>'),
  '10 MB': (_, response) => response.end(Buffer.alloc(10 * 1024 * 1024, 'a')),
  redirects: (request, response) =>
    response.writeHead(302, { location: `http://${request.headers.host}/elsewhere` }).end(),
  'a redirect to itself': (request, response) => response.writeHead(307, { location: request.url }).end(),
  'a byte now and then': (_, response) => {
    const writing = setInterval(() => response.write(' '), 20)
    response.on('close', () => clearInterval(writing))
  },
  nothing: () => {},
  'a closed connection': (request) => request.socket.destroy(),
  errors: (_, response) => response.writeHead(500).end('{"error":"server_error"}'),
}

/** A clock that can be put forward, so that what is known gets old. */
function setUp(issuer: IssuerServer, options: Partial<VerifierOptions> = {}) {
  const state = { aheadMs: 0 }
  const verifier = openVerifier({
    issuer: issuer.url,
    audience: AUDIENCE,
    timeoutSeconds: 0.3,
    now: () => new Date(Date.now() + state.aheadMs),
    ...options,
  })
  return { state, verifier }
}

async function measure(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

const inADay = () => Math.floor(Date.now() / 1000) + 86_400

describe.each(Object.entries(ANSWERS))('an issuer that answers %s', (_name, answer) => {
  it('from the start is a 503, in the time a request may take', async () => {
    await using issuer = await serveIssuer()
    issuer.answer = answer
    const { verifier } = setUp(issuer)
    const token = await issuer.issue()
    const tookMs = await measure(async () => {
      const error = await catchRefusal(() => verifier.verify(token), token)
      expect([error.code, error.status]).toEqual(['keys_unavailable', 503])
    })
    expect(tookMs).toBeLessThan(2_000)
    expect(issuer.requests).toEqual([JWKS_PATH])
  })

  it('in place of a list is a 503, in the time one request may take', async () => {
    await using issuer = await serveIssuer()
    const { verifier } = setUp(issuer)
    const token = await issuer.issue()
    issuer.answer = (request, response) => {
      if (request.url !== JWKS_PATH) return answer(request, response)
      return response.end(JSON.stringify(issuer.jwks))
    }
    const tookMs = await measure(async () => {
      const error = await catchRefusal(() => verifier.verify(token), token)
      expect([error.code, error.status]).toEqual(['status_unavailable', 503])
    })
    expect(tookMs).toBeLessThan(2_000)
    expect(issuer.requests).toEqual([JWKS_PATH, `${LISTS_PATH}/0`])
  })

  it('later on takes nothing away that is known', async () => {
    await using issuer = await serveIssuer()
    const { state, verifier } = setUp(issuer)
    const token = await issuer.issue({ exp: inADay() })
    await verifier.verify(token)
    issuer.answer = answer
    state.aheadMs = 31_000
    // The first to notice waits, for a second at most, and nobody after that is known.
    expect(await measure(() => verifier.verify(token))).toBeLessThan(2_000)
    const tookMs = await measure(() => Promise.all(Array.from({ length: 100 }, () => verifier.verify(token))))
    expect(tookMs).toBeLessThan(1_000)
    expect(issuer.requests).toHaveLength(3)
  })
})

describe('made-up key ids', () => {
  it('of 1000 tokens are one request, and nobody else notices', async () => {
    await using issuer = await serveIssuer()
    const { state, verifier } = setUp(issuer, { timeoutSeconds: 5 })
    const good = await issuer.issue()
    await verifier.verify(good)
    state.aheadMs = 29_000
    issuer.requests.length = 0
    const forger = await createSigningKey('ES256', 'forger')
    const attempts = Array.from({ length: 1000 }, async (_, count) => {
      // From one to the next the cool-down is over.
      if (count === 1) state.aheadMs = 31_000
      const forged = await signToken(CLAIMS, { kid: crypto.randomUUID() }, forger)
      const refused = catchRefusal(() => verifier.verify(forged))
      const claims = verifier.verify(good)
      expect((await refused).code).toBe('key_unknown')
      expect((await claims).sub).toBe(CLAIMS.sub)
    })
    await Promise.all(attempts)
    expect(issuer.requests.filter((path) => path === JWKS_PATH)).toHaveLength(1)
  })

  it('are no request at all within the cool-down', async () => {
    await using issuer = await serveIssuer()
    const { verifier } = setUp(issuer, { timeoutSeconds: 5 })
    const forger = await createSigningKey('ES256', 'forger')
    for (let count = 0; count < 1000; count += 1) {
      const forged = await signToken(CLAIMS, { kid: `kid-${count}` }, forger)
      expect((await catchRefusal(() => verifier.verify(forged))).code).toBe('key_unknown')
    }
    expect(issuer.requests).toEqual([JWKS_PATH])
  })
})

describe('what a token says', () => {
  const url = fc.oneof(
    fc.webUrl(),
    fc.constantFrom('http://127.0.0.1:1', 'file:///etc/passwd', '//evil.example'),
  )

  it('leads to no request but for the keys, and a signed one for its list', async () => {
    await using issuer = await serveIssuer()
    const asked = new Set<string>()
    const spy: VerifierOptions['fetch'] = (target, init) => {
      asked.add(target)
      return fetch(target, init)
    }
    const { verifier } = setUp(issuer, { fetch: spy, timeoutSeconds: 5 })
    await fc.assert(
      fc.asyncProperty(url, fc.nat(), async (target, idx) => {
        const header = { jku: target, x5u: target, jwk: { kty: 'EC' }, kid: target }
        const status = { status_list: { idx, uri: target } }
        const token = await signToken({ ...CLAIMS, iss: issuer.url, exp: inADay(), status }, header)
        const signed = await issuer.issue({ exp: inADay(), status })
        await catchRefusal(() => verifier.verify(token), token)
        await catchRefusal(() => verifier.verify(signed), signed)
      }),
      { numRuns: 100 },
    )
    await verifier.verify(await issuer.issue())
    expect([...asked]).toEqual([issuer.url + JWKS_PATH, `${issuer.url}${LISTS_PATH}/0`])
  })
})
