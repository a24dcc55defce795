// Thousands of valid OAuth requests, bent: whatever comes of one, it is an answer of the protocol. `MUTATED_REQUESTS` says
// how many, `MUTATED_SEED` which ones again.

import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PAT_TYPE, TOKEN_EXCHANGE_GRANT } from '../../src/protocol/urn.ts'
import { type Acme, API, ORDERS_BASIC, startAcme } from '../support/acme.ts'
import { canary } from '../support/evidence.ts'
import { anyMutated, type OAuthRequest, type ValidRequest } from '../support/mutated-request.ts'
import { requestExchange } from '../support/requests.ts'

const { MUTATED_REQUESTS = '1000', MUTATED_SEED } = process.env
const TYPE = { 'Content-Type': 'application/x-www-form-urlencoded' }
const GRANT: [string, string] = ['grant_type', TOKEN_EXCHANGE_GRANT]
const DETAILS = JSON.stringify([{ type: 'models', identifier: 'm1', actions: ['read'] }])

/** RFC 6749 section 5.2: what `error` and `error_description` may hold. */
const OAUTH_TEXT = /^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/

let acme: Acme
let valid: ValidRequest[]
let secrets: string[]
beforeAll(async () => {
  // What is counted is who fails; here everybody does, all the time, and is to be heard.
  acme = await startAcme({
    PATMINT_FAILURES_PER_ADDRESS: '1000000',
    PATMINT_FAILURES_PER_CLIENT: '1000000',
    PATMINT_FAILURES_PER_CREDENTIAL: '1000000',
  })
  const { json } = await requestExchange(acme.url, { subject_token: acme.samPat, audience: API })
  const token = canary(String(json['access_token']))
  secrets = [acme.janePat.slice(20), token.slice(-40)]
  const exchange = (...fields: [string, string][]): ValidRequest => ({
    path: '/oauth2/token',
    headers: TYPE,
    fields: [GRANT, ['client_id', 'patmint-cli'], ...fields],
  })
  const subject: [string, string][] = [
    ['subject_token', acme.janePat],
    ['subject_token_type', PAT_TYPE],
  ]
  const asOrders = { ...TYPE, Authorization: ORDERS_BASIC }
  valid = [
    exchange(...subject, ['audience', API], ['scope', 'models:read']),
    exchange(...subject, ['resource', API], ['authorization_details', DETAILS]),
    exchange(...subject, ['actor_token', acme.samPat], ['actor_token_type', PAT_TYPE]),
    exchange(['subject_token', token], ['subject_token_type', 'urn:ietf:params:oauth:token-type:jwt']),
    { path: '/oauth2/token', headers: asOrders, fields: [GRANT, ...subject, ['audience', API]] },
    { path: '/oauth2/introspect', headers: asOrders, fields: [['token', acme.janePat]] },
    {
      path: '/oauth2/introspect',
      headers: asOrders,
      fields: [
        ['token', token],
        ['token_type_hint', 'x'],
      ],
    },
    {
      path: '/oauth2/revoke',
      headers: TYPE,
      fields: [
        ['token', token.slice(0, -3)],
        ['token_type_hint', 'x'],
      ],
    },
  ]
})
afterAll(() => acme.stop())

/** What is wrong with the answer to a request; null when nothing is. */
async function findFault({ path, headers, body }: OAuthRequest): Promise<string | null> {
  const response = await fetch(acme.url + path, { method: 'POST', headers, body })
  const text = await response.text()
  const { status } = response
  if (status >= 500) return `${status} ${text}`
  if (response.headers.get('cache-control') !== 'no-store') return `${status} may be cached`
  if (secrets.some((secret) => text.includes(secret))) return `${status} echoes a token`
  if (status === 200 && text === '' && path === '/oauth2/revoke') return null
  if (!/^application\/json\b/.test(response.headers.get('content-type') ?? ''))
    return `${status} is no JSON: ${text}`
  const { error, error_description: description } = JSON.parse(text) as Record<string, unknown>
  if (status === 200) return error === undefined ? null : `200 with ${String(error)}`
  const isWorded = [error, description].every((one) => typeof one === 'string' && OAUTH_TEXT.test(one))
  return isWorded ? null : `${status} ${text}`
}

/** The requests as they are: `bend` has nothing to do. */
const send = ({ path, headers, fields }: ValidRequest): Promise<Response> =>
  fetch(acme.url + path, {
    method: 'POST',
    headers,
    body: new URLSearchParams(fields.map(([...pair]) => pair)),
  })

describe('a valid request', () => {
  it('is one: nothing is refused but an actor nobody permitted', async () => {
    const answers = await Promise.all(valid.map(send))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 400, 200, 200, 200, 200, 200])
  })
})

describe('a valid request that was bent', () => {
  it('gets an answer of the protocol, and no fault', async () => {
    const seed = MUTATED_SEED === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(MUTATED_SEED)
    process.stdout.write(`mutated requests: ${MUTATED_REQUESTS} MUTATED_SEED=${seed}\n`)
    await fc.assert(
      fc.asyncProperty(anyMutated(valid), async (request) => {
        expect(await findFault(request)).toBeNull()
      }),
      { numRuns: Number(MUTATED_REQUESTS), seed },
    )
    // What was sent before still works.
    const answer = await requestExchange(acme.url, { subject_token: acme.janePat, audience: API })
    expect(answer.status).toBe(200)
  }, 300_000)
})
