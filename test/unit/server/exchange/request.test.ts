import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { PresentedCredential } from '../../../../src/protocol/credential.ts'
import { ACCESS_TOKEN_TYPE, JWT_TYPE, PAT_TYPE } from '../../../../src/protocol/urn.ts'
import { causeOf } from '../../../../src/server/exchange/refusal.ts'
import {
  EXCHANGE_PARAMETERS,
  parseExchangeRequest,
  type TokenParameters,
} from '../../../../src/server/exchange/request.ts'
import { ID, PAT, SECRET } from '../../protocol/credential-fixture.ts'
import { buildParameters } from './exchange-fixture.ts'

const ALIAS = 'urn:logto:token-type:personal_access_token'

const parse = (overrides: TokenParameters = {}, aliases: readonly string[] = []) =>
  parseExchangeRequest(buildParameters(overrides), aliases)

const refused = (reason: string, parameter: string) => ({ ok: false, error: { reason, parameter } })

describe('the least request', () => {
  it('asks for everything at the only audience', () => {
    const request = parse()
    expect(request).toMatchObject({ ok: true, value: { audiences: [], scopes: null } })
    const subjectToken = request.ok ? request.value.subjectToken : undefined
    expect(subjectToken).toBeInstanceOf(PresentedCredential)
    if (subjectToken instanceof PresentedCredential)
      expect([subjectToken.kind, subjectToken.id, subjectToken.revealSecret()]).toEqual([
        'personal',
        ID,
        SECRET,
      ])
  })

  it('ignores parameters that are not of the exchange', () => {
    expect(parse({ grant_type: 'x', client_id: ['a', 'b'], unknown: ['a', 'b'] }).ok).toBe(true)
  })
})

describe('a missing parameter', () => {
  it.each(['subject_token', 'subject_token_type'])('is named when it is %s', (name) => {
    expect(parse({ [name]: undefined })).toEqual(refused('parameter_missing', name))
  })

  it('is named first when both are missing', () => {
    expect(parseExchangeRequest({}, [])).toEqual(refused('parameter_missing', 'subject_token'))
  })
})

describe('a repeated parameter', () => {
  const SINGLE = EXCHANGE_PARAMETERS.filter((name) => name !== 'audience' && name !== 'resource')

  it.each(SINGLE)('is refused and named when it is %s', (name) => {
    expect(parse({ [name]: [PAT, PAT] })).toEqual(refused('parameter_repeated', name))
    expect(parse({ [name]: [] })).toEqual(refused('parameter_repeated', name))
  })

  it('is refused even when both values are the same and good', () => {
    expect(parse({ subject_token_type: [PAT_TYPE, PAT_TYPE] })).toEqual(
      refused('parameter_repeated', 'subject_token_type'),
    )
  })
})

describe('subject_token_type', () => {
  it.each([PAT_TYPE, ACCESS_TOKEN_TYPE])('may be %s', (type) => {
    expect(parse({ subject_token_type: type }).ok).toBe(true)
  })

  it('may be a configured alias, and no other', () => {
    expect(parse({ subject_token_type: ALIAS }, [ALIAS]).ok).toBe(true)
    expect(parse({ subject_token_type: ALIAS }, ['urn:other', ALIAS]).ok).toBe(true)
    for (const type of [`${ALIAS}s`, ALIAS.toUpperCase(), ALIAS.slice(0, -1)]) {
      expect(parse({ subject_token_type: type }, [ALIAS])).toEqual(
        refused('parameter_unsupported', 'subject_token_type'),
      )
    }
    expect(parse({ subject_token_type: ALIAS })).toEqual(
      refused('parameter_unsupported', 'subject_token_type'),
    )
  })

  it.each([
    'urn:ietf:params:oauth:token-type:refresh_token',
    'urn:ietf:params:oauth:token-type:id_token',
    'urn:ietf:params:oauth:token-type:saml2',
    `${PAT_TYPE} `,
    'pat',
  ])('may not be %j', (type) => {
    expect(parse({ subject_token_type: type })).toEqual(
      refused('parameter_unsupported', 'subject_token_type'),
    )
  })
})

describe('requested_token_type', () => {
  it.each([undefined, ACCESS_TOKEN_TYPE, JWT_TYPE])('may be %s', (type) => {
    expect(parse({ requested_token_type: type }).ok).toBe(true)
  })

  it.each(['urn:ietf:params:oauth:token-type:refresh_token', PAT_TYPE, ALIAS, 'jwt', `${JWT_TYPE}#`])(
    'may not be %s, not even with aliases',
    (type) => {
      expect(parse({ requested_token_type: type }, [ALIAS])).toEqual(
        refused('parameter_unsupported', 'requested_token_type'),
      )
    },
  )
})

describe('actor_token and actor_token_type', () => {
  it('come together', () => {
    expect(parse({ actor_token: PAT })).toEqual(refused('parameter_missing', 'actor_token_type'))
    expect(parse({ actor_token_type: PAT_TYPE })).toEqual(refused('parameter_missing', 'actor_token'))
  })

  it('name a credential, as a subject token does', () => {
    const request = parse({ actor_token: PAT, actor_token_type: PAT_TYPE })
    expect(request.ok && request.value.actorToken?.kind).toBe('personal')
    expect(parse()).toMatchObject({ ok: true, value: { actorToken: null } })
  })

  it('are refused when the token is none', () => {
    expect(parse({ actor_token: 'x', actor_token_type: PAT_TYPE })).toEqual({
      ok: false,
      error: { reason: 'actor_token_refused', cause: 'credential_malformed' },
    })
  })

  it('are refused when the type is not one of ours', () => {
    expect(
      parse({ actor_token: PAT, actor_token_type: 'urn:ietf:params:oauth:token-type:id_token' }),
    ).toEqual(refused('parameter_unsupported', 'actor_token_type'))
  })
})

describe('subject_token', () => {
  it.each([
    ['a wrong checksum', `${PAT.slice(0, -1)}0`],
    ['upper case', PAT.toUpperCase()],
    ['a blank after', `${PAT} `],
    ['a JWT', 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln'],
    ['a word', 'undefined'],
  ])('with %s is refused like any other that is not valid', (_, token) => {
    expect(parse({ subject_token: token })).toEqual({
      ok: false,
      error: { reason: 'subject_token_refused', cause: 'credential_malformed' },
    })
  })
})

describe('scope', () => {
  it('names at most 200 scopes', () => {
    const scopes = (count: number) => Array.from({ length: count }, (_, n) => `models/m${n}:read`).join(' ')
    expect(parse({ scope: scopes(200) }).ok).toBe(true)
    expect(parse({ scope: scopes(201) })).toEqual({ ok: false, error: { reason: 'scope_malformed' } })
  })

  it('is split, each scope once', () => {
    expect(parse({ scope: 'models:read datasets/d1:read models:read' })).toMatchObject({
      value: { scopes: ['models:read', 'datasets/d1:read'] },
    })
  })

  it.each(['models:*', '*:*', ' models:read', 'models:read  datasets:read', 'models:read\n', '"', 'é'])(
    'of %j is malformed',
    (scope) => {
      expect(parse({ scope })).toEqual({ ok: false, error: { reason: 'scope_malformed' } })
    },
  )
})

describe('an access token as subject token', () => {
  const JWT = 'eyJhbGciOiJFUzI1NiJ9.eyJhIjoxfQ.AbC-_09'
  const kindOf = (text: string, type: string) => {
    const request = parse({ subject_token: text, subject_token_type: type })
    return request.ok ? request.value.subjectToken.kind : causeOf(request.error)
  }

  it.each([ACCESS_TOKEN_TYPE, JWT_TYPE])('may come as %s', (type) => {
    expect(kindOf(JWT, type)).toBe('jwt')
  })

  it('is no PAT, and a PAT is no JWT', () => {
    expect(kindOf(JWT, PAT_TYPE)).toBe('credential_malformed')
    expect(kindOf(PAT, JWT_TYPE)).toBe('credential_malformed')
    expect(kindOf(PAT, ACCESS_TOKEN_TYPE)).toBe('personal')
  })

  it.each([
    ['padding', `${JWT}=`],
    ['a line break', `${JWT}\n`],
    ['four parts', `${JWT}.x`],
    ['two parts', 'a.b'],
    ['an empty part', 'a..b'],
    ['too much', `${'a'.repeat(16_384)}.b.c`],
  ])('is refused with %s', (_, text) => {
    expect(kindOf(text, JWT_TYPE)).toBe('credential_malformed')
  })

  it('prints as [redacted]', () => {
    const request = parse({ subject_token: JWT, subject_token_type: JWT_TYPE })
    const token = request.ok ? request.value.subjectToken : undefined
    expect(`${token} ${JSON.stringify(token)} ${inspect(token)}`).toBe('[redacted] "[redacted]" [redacted]')
  })
})
