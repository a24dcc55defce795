import { describe, expect, it } from 'vitest'
import { PresentedJwt } from '../../../../src/protocol/presented-jwt.ts'
import { ok } from '../../../../src/protocol/result.ts'
import { createRecheckCredential } from '../../../../src/server/credential/verify.ts'
import { createCheckPresented } from '../../../../src/server/exchange/present.ts'
import { ID, makeCredential } from '../../protocol/credential-fixture.ts'
import { buildStanding } from '../credential/standing-fixture.ts'
import { NOW } from '../policy/policy-fixture.ts'
import { buildSubject } from './exchange-fixture.ts'

const CONTEXT = { now: NOW, address: '10.0.0.1', clientId: null, userAgent: undefined, requestId: 'r1' }
const TOKEN = new PresentedJwt('a.b.c')

/** Checks the token `a.b.c`, whose credential stands so; tells what was noted as forged. */
function checkToken(standing = buildStanding(), revoked: string[] = []) {
  const forged: unknown[] = []
  const { token } = buildSubject(standing, {})
  const check = createCheckPresented({
    verifyCredential: async () => ok(standing),
    recheckCredential: createRecheckCredential(async (id) => (id === ID ? standing : undefined)),
    readToken: async (presented, now) =>
      presented.reveal() === 'a.b.c' && now === NOW ? (token ?? undefined) : undefined,
    isTokenRevoked: async (tokenId) => revoked.includes(tokenId),
    noteForged: async (context) => {
      forged.push(context)
    },
  })
  return { check, token, forged }
}

describe('what is presented', () => {
  it('as a credential is that and nothing else', async () => {
    const { check } = checkToken()
    expect(await check(makeCredential(), CONTEXT)).toEqual(ok({ standing: buildStanding(), token: null }))
  })

  it('as an access token is its credential as it stands now, and the token', async () => {
    const { check, token, forged } = checkToken()
    expect(await check(TOKEN, CONTEXT)).toEqual(ok({ standing: buildStanding(), token }))
    expect(forged).toEqual([])
  })

  it('as an access token that is none of ours is refused, and noted', async () => {
    const { check, forged } = checkToken()
    expect(await check(new PresentedJwt('x.y.z'), CONTEXT)).toEqual({
      ok: false,
      error: { refusal: { reason: 'token_invalid' }, standing: undefined },
    })
    expect(forged).toEqual([CONTEXT])
  })

  it('as an access token whose credential was revoked is refused with that cause', async () => {
    const standing = buildStanding({ credential: { revokedAt: NOW } })
    const { check, forged } = checkToken(standing)
    expect(await check(TOKEN, CONTEXT)).toEqual({
      ok: false,
      error: { refusal: { reason: 'credential_revoked' }, standing },
    })
    expect(forged).toEqual([])
  })

  it('as an access token that was revoked by itself is refused with that cause, and is no forgery', async () => {
    const standing = buildStanding()
    const { check, forged } = checkToken(standing, [String(checkToken().token?.jti)])
    expect(await check(TOKEN, CONTEXT)).toEqual({
      ok: false,
      error: { refusal: { reason: 'token_revoked' }, standing },
    })
    expect(forged).toEqual([])
  })
})
