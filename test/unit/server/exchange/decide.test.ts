import { describe, expect, it } from 'vitest'
import type { AccessTokenClaims } from '../../../../src/protocol/access-token.ts'
import { decide } from '../../../../src/server/exchange/decide.ts'
import type { ExchangeRequest } from '../../../../src/server/exchange/request.ts'
import { ID } from '../../protocol/credential-fixture.ts'
import {
  API,
  buildGrant,
  buildKeyStanding,
  buildRole,
  buildStanding,
  ORGANIZATION,
  OWNER_ID,
} from '../credential/standing-fixture.ts'
import { from, NOW } from '../policy/policy-fixture.ts'
import { buildClient, buildRequest, buildSubject } from './exchange-fixture.ts'

const B = 'https://b.example.com'
const C = 'https://c.example.com'
const grantOfB = buildGrant({ audience: B })

const ask = (request: Partial<ExchangeRequest>, grants = [buildGrant()], client = buildClient()) =>
  decide(buildRequest(request), buildSubject(buildStanding({ role: buildRole({ grants }) })), client, NOW)

const refused = (error: object) => ({ ok: false, error })

describe('a decision', () => {
  it('says who, for whom, where, what and how long', () => {
    expect(ask({})).toEqual({
      ok: true,
      value: {
        subject: OWNER_ID,
        act: null,
        organization: ORGANIZATION,
        credentialId: ID,
        statusIndex: 7,
        clientId: 'patmint-cli',
        audiences: [API],
        scopes: ['datasets:read', 'models:read'],
        details: null,
        exchanges: 1,
        boundKey: null,
        signingAlg: 'ES256',
        lifetimeSeconds: 300,
        subjectExpiresInSeconds: null,
      },
    })
  })

  it('is about the API key itself where nobody owns it', () => {
    const decision = decide(buildRequest(), buildSubject(buildKeyStanding()), buildClient(), NOW)
    expect(decision).toMatchObject({ ok: true, value: { subject: `key:${ID}` } })
  })
})

describe('the audience', () => {
  it('is the only one permitted, when none is named', () => {
    expect(ask({}, [grantOfB])).toMatchObject({ value: { audiences: [B] } })
  })

  it('must be named when several are permitted, or none', () => {
    expect(ask({}, [buildGrant(), grantOfB])).toEqual(refused({ reason: 'audience_ambiguous' }))
    expect(ask({}, [])).toEqual(refused({ reason: 'audience_ambiguous' }))
  })

  it('is not ambiguous where the client may ask for one of several only', () => {
    const decision = ask({}, [buildGrant(), grantOfB], buildClient({ audiences: [B, C] }))
    expect(decision).toMatchObject({ value: { audiences: [B] } })
  })

  it.each([
    ['nobody knows', C],
    ['differs by a slash', `${API}/`],
    ['differs in case', API.toUpperCase()],
    ['is empty', ''],
  ])('is refused when it %s', (_, audience) => {
    expect(ask({ audiences: [audience] })).toEqual(refused({ reason: 'audience_not_permitted', audience }))
    expect(ask({ audiences: [API, audience] })).toEqual(
      refused({ reason: 'audience_not_permitted', audience }),
    )
  })

  it('is refused when the role permits it and the client does not', () => {
    const client = buildClient({ audiences: [B] })
    expect(ask({ audiences: [API] }, [buildGrant(), grantOfB], client)).toEqual(
      refused({ reason: 'audience_not_permitted', audience: API }),
    )
  })

  it('may be several, where they agree on scopes and algorithm', () => {
    expect(ask({ audiences: [B, API] }, [buildGrant(), grantOfB])).toMatchObject({
      value: { audiences: [API, B] },
    })
  })

  it('may not be several that sign differently', () => {
    const grants = [buildGrant(), buildGrant({ audience: B, signingAlg: 'EdDSA' })]
    expect(ask({ audiences: [API, B] }, grants)).toEqual(refused({ reason: 'audiences_incompatible' }))
    expect(ask({ audiences: [B] }, grants)).toMatchObject({ value: { audiences: [B], signingAlg: 'EdDSA' } })
  })
})

describe('the scopes', () => {
  it('are those requested, exactly and in their order', () => {
    const scopes = ['models/m1:read', 'datasets:read']
    expect(ask({ scopes })).toMatchObject({ ok: true, value: { scopes } })
  })

  it.each([
    ['the role does not hold', 'models:write'],
    ['nobody knows', 'openid'],
    ['the resource server does not declare', 'datasets:write'],
  ])('are refused as soon as one is what %s', (_, scope) => {
    expect(ask({ scopes: ['models:read', scope] })).toEqual(refused({ reason: 'scope_exceeds', scope }))
  })

  it('are refused when the credential did not choose one', () => {
    const standing = buildStanding({
      credential: { permissions: [{ audience: API, scopes: ['models/m1:read'] }] },
    })
    const decideFor = (scope: string) =>
      decide(buildRequest({ scopes: [scope] }), buildSubject(standing), buildClient(), NOW)
    expect(decideFor('models/m1:read')).toMatchObject({ ok: true, value: { scopes: ['models/m1:read'] } })
    expect(decideFor('models:read')).toEqual(refused({ reason: 'scope_exceeds', scope: 'models:read' }))
    expect(decideFor('models/m2:read')).toEqual(refused({ reason: 'scope_exceeds', scope: 'models/m2:read' }))
  })

  it('must be effective at each of several audiences', () => {
    const grants = [buildGrant(), buildGrant({ audience: B, scopes: ['models:read'] })]
    const audiences = [API, B]
    expect(ask({ audiences, scopes: ['models:read'] }, grants)).toMatchObject({
      value: { scopes: ['models:read'] },
    })
    expect(ask({ audiences, scopes: ['datasets:read'] }, grants)).toEqual(
      refused({ reason: 'scope_exceeds', scope: 'datasets:read' }),
    )
  })

  it('must be named where several audiences do not have the same', () => {
    const grants = [buildGrant(), buildGrant({ audience: B, scopes: ['models:read'] })]
    expect(ask({ audiences: [API, B] }, grants)).toEqual(refused({ reason: 'scopes_differ' }))
  })

  it('need not be named where several audiences come to the same by other ways', () => {
    const grants = [buildGrant(), buildGrant({ audience: B, scopes: ['*:read'] })]
    expect(ask({ audiences: [API, B] }, grants)).toMatchObject({
      value: { scopes: ['datasets:read', 'models:read'] },
    })
  })
})

describe('authorization details', () => {
  const read = { type: 'models', actions: ['read'] }
  const ofM1 = { ...read, identifier: 'm1' }

  it('are granted with their locations, and as scopes', () => {
    expect(ask({ details: [ofM1] })).toMatchObject({
      value: { scopes: ['models/m1:read'], details: [{ ...ofM1, locations: [API] }] },
    })
  })

  it('and scopes are one wish', () => {
    expect(ask({ scopes: ['datasets:read'], details: [ofM1] })).toMatchObject({
      value: { scopes: ['datasets:read', 'models/m1:read'], details: [{ ...ofM1, locations: [API] }] },
    })
  })

  it('name the audience by their locations, when nothing else does', () => {
    const grants = [buildGrant(), grantOfB]
    const located = { ...read, locations: [B] }
    expect(ask({ details: [located] }, grants)).toMatchObject({
      value: { audiences: [B], details: [located] },
    })
    expect(ask({ details: [read] }, grants)).toEqual(refused({ reason: 'audience_ambiguous' }))
  })

  it.each([
    ['of a type nobody knows', { type: 'unicorns', actions: ['read'] }, 'unicorns:read'],
    ['with an action that is not granted', { type: 'models', actions: ['read', 'write'] }, 'models:write'],
  ])('are refused %s', (_, detail, scope) => {
    expect(ask({ details: [detail] })).toEqual(
      refused({ reason: 'details_refused', cause: 'details_exceed', scope }),
    )
  })

  it('are refused at one audience, when the token is for two', () => {
    const grants = [buildGrant(), grantOfB]
    const elsewhere = refused({ reason: 'details_refused', cause: 'details_elsewhere' })
    const at = (...locations: string[]) => ({ ...read, locations })
    expect(ask({ audiences: [API, B], details: [at(API)] }, grants)).toEqual(elsewhere)
    expect(ask({ audiences: [API], details: [at(API, B)] }, grants)).toEqual(elsewhere)
    expect(ask({ details: [at(API), at(B)] }, grants)).toEqual(elsewhere)
    expect(ask({ audiences: [API, B], details: [at(B, API)] }, grants)).toMatchObject({
      value: { audiences: [API, B], details: [{ ...read, locations: [API, B] }] },
    })
  })

  it('are refused at a location nobody knows', () => {
    expect(ask({ details: [{ ...read, locations: [C] }] })).toEqual(
      refused({ reason: 'details_refused', cause: 'details_elsewhere' }),
    )
  })
})

describe('an access token as subject', () => {
  const exchange = (token: Partial<AccessTokenClaims>, request: Partial<ExchangeRequest> = {}) => {
    const standing = buildStanding({ role: buildRole({ grants: [buildGrant(), grantOfB] }) })
    return decide(buildRequest(request), buildSubject(standing, token), buildClient(), NOW)
  }
  const seconds = NOW.getTime() / 1000

  it('gives its own audience and scopes, when nothing else is asked for', () => {
    expect(exchange({ aud: API, scope: 'models/m1:read' })).toMatchObject({
      value: { audiences: [API], scopes: ['models/m1:read'] },
    })
  })

  it('gives no audience and no scope it does not have, whatever the credential has', () => {
    expect(exchange({ aud: API }, { audiences: [B] })).toEqual(
      refused({ reason: 'audience_not_permitted', audience: B }),
    )
    expect(exchange({ aud: API, scope: 'models/m1:read' }, { scopes: ['models:read'] })).toEqual(
      refused({ reason: 'scope_exceeds', scope: 'models:read' }),
    )
  })

  it('gives no scope its credential has lost meanwhile', () => {
    expect(exchange({ aud: API, scope: 'models:destroy models:read' })).toMatchObject({
      value: { scopes: ['models:read'] },
    })
  })

  it('gives nothing without a scope', () => {
    const { scope: _, ...claims } = { ...buildSubject(buildStanding(), {}).token, scope: '' }
    const subject = { standing: buildStanding(), token: claims as AccessTokenClaims }
    expect(decide(buildRequest(), subject, buildClient(), NOW)).toEqual(
      refused({ reason: 'audience_ambiguous' }),
    )
  })

  it.each([
    ['as long as it lives itself', 299, 299],
    ['no longer than the resource server lets it', 301, 300],
    ['one second before its end', 1, 1],
  ])('gives a token that lives %s', (_, left, lifetimeSeconds) => {
    expect(exchange({ aud: API, exp: seconds + left })).toMatchObject({ value: { lifetimeSeconds } })
  })

  it('is refused at its end', () => {
    expect(exchange({ aud: API, exp: seconds })).toEqual(
      refused({ reason: 'subject_token_refused', cause: 'token_invalid' }),
    )
  })

  it('counts its exchanges, and is refused after the fourth', () => {
    expect(exchange({ aud: API })).toMatchObject({ value: { exchanges: 2 } })
    expect(exchange({ aud: API, exchanges: 3 })).toMatchObject({ value: { exchanges: 4 } })
    expect(exchange({ aud: API, exchanges: 4 })).toEqual(
      refused({ reason: 'subject_token_refused', cause: 'exchanged_too_often' }),
    )
  })

  it('keeps whoever acts for its subject', () => {
    const act = { sub: 'key:0123456789abcdef' }
    expect(exchange({ aud: API, act })).toMatchObject({ value: { act } })
  })
})

describe('an actor', () => {
  const actFor = (endsAt: Date | null) =>
    decide(buildRequest(), buildSubject(buildStanding()), buildClient(), NOW, {
      act: { sub: 'key:0123456789abcdef' },
      endsAt,
    })

  it('is named, and the token lives no longer than they can prove it', () => {
    expect(actFor(null)).toMatchObject({
      value: { act: { sub: 'key:0123456789abcdef' }, lifetimeSeconds: 300 },
    })
    expect(actFor(from(NOW, 0, 30_000))).toMatchObject({ value: { lifetimeSeconds: 30 } })
  })

  it('who cannot prove it for a whole second is refused', () => {
    expect(actFor(from(NOW, 0, 1000))).toMatchObject({ value: { lifetimeSeconds: 1 } })
    expect(actFor(from(NOW, 0, 999))).toEqual(
      refused({ reason: 'actor_token_refused', cause: 'credential_expired' }),
    )
  })
})
