// The Python of docs/verify-other-languages.md, taken out of the document and run as it stands against a server.

import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { covers } from '../../../src/protocol/scope.ts'
import { nameStatusList, STATUS_LISTS_PATH } from '../../../src/protocol/status-list.ts'
import { type Acme, API, REPORTS, startAcme } from '../../support/acme.ts'
import { describeUnlessMissing } from '../../support/describe-unless-missing.ts'
import { readBlocks, runCommand } from '../../support/document.ts'
import { createProofKey } from '../../support/dpop.ts'
import { type IssuerFront, startIssuerFront } from '../../support/issuer-front.ts'
import { hasPyJwt, PYJWT_PACKAGES, PYTHON, type PyJwt, startPythonVerifier } from '../../support/pyjwt.ts'
import { callApi, obtainToken } from '../../support/requests.ts'
import { JWKS_PATH } from '../../support/verifier-families.ts'

const [SNIPPET = ''] = readBlocks('docs/verify-other-languages.md', 'python')
const LIST_PATH = `${STATUS_LISTS_PATH}/0`
const PROMISED = { timeout: 15_000, interval: 100 }

let front: IssuerFront
let acme: Acme
let code: string
beforeAll(async () => {
  front = await startIssuerFront()
  acme = await startAcme({ PATMINT_ISSUER: front.url, PATMINT_STATUS_LIST_TTL_SECONDS: '1' })
  front.forwardTo(acme.url)
  code = `${SNIPPET.replaceAll('http://localhost:8693', front.url)}\nlogging.disable()\n`
})
afterAll(async () => {
  front.stop()
  await acme.stop()
})

const exchange = (pat: string, form = {}, headers: Record<string, string> = {}): Promise<string> =>
  obtainToken(acme.url, { subject_token: pat, audience: API, ...form }, headers)

/** The token with other members in its header or its claims, and the signature it had. */
function alter(token: string, part: 0 | 1, members: Record<string, unknown>): string {
  const parts = token.split('.')
  const text = JSON.parse(Buffer.from(parts[part] ?? '', 'base64url').toString()) as object
  parts[part] = Buffer.from(JSON.stringify({ ...text, ...members })).toString('base64url')
  return parts.join('.')
}

async function exchangeAt(instant: Date): Promise<string> {
  acme.setClock(() => instant)
  try {
    return await exchange(await acme.issue('jane@acme.test', { name: `at ${instant.toISOString()}` }))
  } finally {
    acme.setClock(() => new Date())
  }
}

describeUnlessMissing('the Python of the documentation', hasPyJwt() ? [] : PYJWT_PACKAGES, () => {
  let python: PyJwt
  beforeEach(() => {
    python = startPythonVerifier(code)
    return () => python.stop()
  })

  it('accepts a good token, and fetches keys and list once for many', async () => {
    const token = await exchange(acme.janePat, { scope: 'models/m1:read' })
    const before = front.countRequests(JWKS_PATH)
    for (let time = 0; time < 20; time += 1) await python.verify(token)
    expect(front.countRequests(JWKS_PATH)).toBe(before + 1)
  })

  const ago = (seconds: number): Date => new Date(Date.now() - seconds * 1000)
  const bind = async (): Promise<string> => {
    const key = await createProofKey()
    const proof = await key.prove({ htu: `${front.url}/oauth2/token` })
    return exchange(acme.janePat, {}, { DPoP: proof })
  }
  it.each([
    [
      'for another audience',
      'InvalidAudienceError',
      () => exchange(acme.adaPat, { audience: `${front.url}/api` }),
    ],
    [
      'signed as another audience has it',
      'InvalidAlgorithmError',
      () => exchange(acme.samPat, { audience: REPORTS }),
    ],
    ['that has expired', 'ExpiredSignatureError', () => exchangeAt(ago(400))],
    ['bound to a key', 'InvalidTokenError bound to a key', bind],
    [
      'whose claims were changed',
      'InvalidSignatureError',
      async () => alter(await exchange(acme.janePat), 1, { scope: 'models:write' }),
    ],
    [
      'of another type',
      'InvalidTokenError another kind',
      async () => alter(await exchange(acme.janePat), 0, { typ: 'JWT' }),
    ],
    [
      'without a signature',
      'InvalidAlgorithmError',
      async () => alter(await exchange(acme.janePat), 0, { alg: 'none' }),
    ],
    [
      'that is a status list',
      'InvalidTokenError another kind',
      async () => (await fetch(nameStatusList(front.url, 0))).text(),
    ],
    ['that is none', 'DecodeError', async () => 'token'],
  ])('refuses a token %s', async (_, cause, make) => {
    await expect(python.verify(await make())).rejects.toThrow(new RegExp(`^${cause}`))
  })

  it('refuses text that no JSON parser or encoder gets through', async () => {
    const hostile = `
from base64 import urlsafe_b64encode
def tell(token):
    try:
        verify(token)
    except Exception as error:
        return isinstance(error, jwt.InvalidTokenError) or type(error).__name__
deep = lambda count: urlsafe_b64encode(b"[" * count).decode().rstrip("=") + ".e30.AA"
print(json.dumps([tell(token) for token in [deep(20000), deep(12000), "\\ud800.e30.AA", "e30.\\ud800.AA"]]))`
    const told = JSON.parse(await runCommand(PYTHON, ['-c', code + hostile], {})) as unknown
    expect(told).toEqual([true, true, true, true])
  })

  it('does not wait for an answer that comes byte by byte', async () => {
    const issuer = createServer((_, response) => {
      const drip = setInterval(() => response.write(' '), 50)
      response.on('close', () => clearInterval(drip))
    })
    await once(issuer.listen(0, '127.0.0.1'), 'listening')
    const url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`
    const impatient = code.replaceAll(front.url, url).replace('FETCH_SECONDS = 5', 'FETCH_SECONDS = 1')
    const waiting = startPythonVerifier(impatient)
    try {
      await expect(waiting.verify(await exchange(acme.janePat))).rejects.toThrow(/^Unavailable/)
    } finally {
      waiting.stop()
      issuer.close()
      issuer.closeAllConnections()
    }
  })

  it('refuses a token once its PAT is revoked and the list has been renewed, and no other', async () => {
    const pat = await acme.issue('jane@acme.test', { name: 'to be revoked' })
    const [token, other] = [await exchange(pat), await exchange(acme.janePat)]
    await python.verify(token)
    expect((await callApi(acme.url, pat, 'DELETE', `/tokens/${pat.slice(4, 20)}`)).status).toBe(204)
    const refusal = /^InvalidTokenError its credential is revoked, expired or suspended$/
    await expect.poll(() => python.verify(token).then(String, String), PROMISED).toMatch(/revoked/)
    await expect(python.verify(token)).rejects.toThrow(refusal)
    await python.verify(other)
  })

  it('asks once for made-up key ids, and knows good tokens meanwhile', async () => {
    const token = await exchange(acme.janePat)
    await python.verify(token)
    const before = front.countRequests(JWKS_PATH)
    for (let time = 0; time < 20; time += 1) {
      await expect(python.verify(alter(token, 0, { kid: randomUUID() }))).rejects.toThrow(/unknown key/)
    }
    await python.verify(token)
    expect(front.countRequests(JWKS_PATH)).toBe(before)
  })

  it('goes on with what it has while the issuer is away, and without anything says that it cannot tell', async () => {
    const token = await exchange(acme.janePat)
    await python.verify(token)
    front.setAway(true)
    const starter = startPythonVerifier(code)
    try {
      const before = front.countRequests(LIST_PATH)
      const askedInVain = async (): Promise<boolean> => {
        await python.verify(token)
        return front.countRequests(LIST_PATH) > before
      }
      await expect.poll(askedInVain, PROMISED).toBe(true)
      await python.verify(token)
      await expect(starter.verify(token)).rejects.toThrow(/^Unavailable/)
    } finally {
      starter.stop()
      front.setAway(false)
    }
  })

  it('knows which scope is enough for which', async () => {
    const scopes = [
      'models:read',
      'models/m1:read',
      'models/m2:read',
      'models:write',
      'models/m1:write',
      'openid',
      'models/m1:read\n',
      'https://a/b:c',
      'b:c',
      'A/b:c',
      'A:c',
    ]
    // No token holds a scope with white space in it; the request that a service makes one of may.
    const held = scopes.filter((scope) => !/\s/.test(scope))
    const pairs = held.flatMap((one) => scopes.map((wanted) => [one, wanted] as const))
    const asked = `\nprint(json.dumps([allows({"scope": held}, wanted) for held, wanted in ${JSON.stringify(pairs)}]))`
    const answers = JSON.parse(await runCommand(PYTHON, ['-c', code + asked], {})) as boolean[]
    const expected = pairs.map(([one, wanted]) => covers(one, wanted))
    expect(answers).toEqual(expected)
    expect(answers).toContain(true)
  })
})
