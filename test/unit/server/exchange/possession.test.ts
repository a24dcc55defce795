import { describe, expect, it } from 'vitest'
import type { AccessTokenClaims } from '../../../../src/protocol/access-token.ts'
import { decide } from '../../../../src/server/exchange/decide.ts'
import type { ExchangeWish } from '../../../../src/server/exchange/request.ts'
import { API, buildGrant, buildRole, buildStanding } from '../credential/standing-fixture.ts'
import { NOW } from '../policy/policy-fixture.ts'
import { buildClient, buildRequest, buildSubject } from './exchange-fixture.ts'

const KEY = 'a'.repeat(43)

function ask(
  wish: Partial<ExchangeWish>,
  { dpopRequired = false, token = null as Partial<AccessTokenClaims> | null } = {},
) {
  const standing = buildStanding({ role: buildRole({ grants: [buildGrant({ dpopRequired })] }) })
  return decide(buildRequest(wish), buildSubject(standing, token), buildClient(), NOW)
}

const refused = (error: object) => ({ ok: false, error })
const REQUIRED = refused({ reason: 'proof_required', audience: API })

describe('a decision with a proof', () => {
  it('is bound to its key', () => {
    expect(ask({ proofKey: KEY })).toMatchObject({ ok: true, value: { boundKey: KEY } })
  })
})

describe('a resource server that requires a proof', () => {
  it('gets no token without one', () => {
    expect(ask({}, { dpopRequired: true })).toEqual(REQUIRED)
    expect(ask({ proofKey: KEY }, { dpopRequired: true }).ok).toBe(true)
  })

  it('says so only when nothing else is wrong', () => {
    expect(ask({ scopes: ['models:destroy'] }, { dpopRequired: true })).toEqual(
      refused({ reason: 'scope_exceeds', scope: 'models:destroy' }),
    )
  })
})

describe('a token that is bound to a key', () => {
  const token = { cnf: { jkt: KEY } }
  const unproven = refused({ reason: 'subject_token_refused', cause: 'token_unproven' })

  it('is exchanged with a proof by that key alone', () => {
    expect(ask({ proofKey: KEY }, { token })).toMatchObject({ ok: true, value: { boundKey: KEY } })
    expect(ask({ proofKey: 'b'.repeat(43) }, { token })).toEqual(unproven)
    expect(ask({}, { token })).toEqual(unproven)
  })

  it('is no reason to refuse one that is not', () => {
    expect(ask({}, { token: {} })).toMatchObject({ ok: true, value: { boundKey: null } })
  })
})
