import { describe, expect, it } from 'vitest'
import type { Standing } from '../../../../src/server/credential/standing.ts'
import type { VerificationContext, VerifyCredential } from '../../../../src/server/credential/verify.ts'
import { createExchange } from '../../../../src/server/exchange/exchange.ts'
import { createCheckPresented } from '../../../../src/server/exchange/present.ts'
import { ID } from '../../protocol/credential-fixture.ts'
import {
  API,
  buildKeyStanding,
  buildStanding,
  ORGANIZATION,
  OWNER_ID,
} from '../credential/standing-fixture.ts'
import { NOW } from '../policy/policy-fixture.ts'
import { buildClient, buildRequest } from './exchange-fixture.ts'

const CONTEXT: VerificationContext = {
  now: NOW,
  address: '10.0.0.1',
  clientId: null,
  userAgent: 'curl',
  requestId: 'r1',
}
const HOLDER = { subject: OWNER_ID, organizationId: ORGANIZATION.id, credentialId: ID, lastUsedAt: null }

const accept =
  (standing: Standing): VerifyCredential =>
  async () => ({ ok: true, value: standing })

const run = (verify: VerifyCredential, request = buildRequest(), client = buildClient()) =>
  createExchange(
    createCheckPresented({
      verifyCredential: verify,
      recheckCredential: () => Promise.reject(new Error('was rechecked')),
      readToken: () => Promise.reject(new Error('was read')),
      isTokenRevoked: () => Promise.reject(new Error('was looked up')),
      noteForged: async () => {},
    }),
  )(request, client, CONTEXT)

describe('an exchange', () => {
  it('decides, and tells whose credential it was', async () => {
    expect(await run(accept(buildStanding()))).toMatchObject({
      result: { ok: true, value: { subject: OWNER_ID, audiences: [API], lifetimeSeconds: 300 } },
      holder: HOLDER,
    })
  })

  it('tells of an API key that it is its own holder', async () => {
    const { holder } = await run(accept(buildKeyStanding()))
    expect(holder).toEqual({ ...HOLDER, subject: `key:${ID}` })
  })

  it('verifies the very credential of the request, at its time and address', async () => {
    const seen: unknown[] = []
    const request = buildRequest()
    await run(async (presented, context) => {
      seen.push(presented, context)
      return { ok: true, value: buildStanding() }
    }, request)
    expect(seen[0]).toBe(request.subjectToken)
    expect(seen[1]).toEqual(CONTEXT)
  })

  it('does not verify anything for a client that may not exchange', async () => {
    const verify: VerifyCredential = () => Promise.reject(new Error('was verified'))
    expect(await run(verify, buildRequest(), buildClient({ mayExchange: false }))).toEqual({
      result: { ok: false, error: { reason: 'client_not_allowed' } },
      holder: undefined,
    })
  })

  it('refuses a credential that is refused, with the true cause and its holder', async () => {
    const verify: VerifyCredential = async () => ({
      ok: false,
      error: { refusal: { reason: 'owner_suspended' }, standing: buildStanding() },
    })
    expect(await run(verify)).toEqual({
      result: { ok: false, error: { reason: 'subject_token_refused', cause: 'owner_suspended' } },
      holder: HOLDER,
    })
  })

  it('has no holder to tell of where no credential was found', async () => {
    const verify: VerifyCredential = async () => ({
      ok: false,
      error: { refusal: { reason: 'credential_unknown' }, standing: undefined },
    })
    expect(await run(verify)).toEqual({
      result: { ok: false, error: { reason: 'subject_token_refused', cause: 'credential_unknown' } },
      holder: undefined,
    })
  })

  it('tells whose credential it was also when the request asks for too much', async () => {
    const request = buildRequest({ scopes: ['models:write'] })
    expect(await run(accept(buildStanding()), request)).toEqual({
      result: { ok: false, error: { reason: 'scope_exceeds', scope: 'models:write' } },
      holder: HOLDER,
    })
  })

  it('throws when the database is away', async () => {
    const away = new Error('connection refused')
    await expect(run(() => Promise.reject(away))).rejects.toBe(away)
  })
})
