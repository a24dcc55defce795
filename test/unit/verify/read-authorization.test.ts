import { describe, expect, it } from 'vitest'
import { type IncomingRequest, readAuthorization } from '../../../src/verify/read-authorization.ts'
import { catchRefusal } from './issuer-fixture.ts'

const REQUEST = { method: 'GET', url: 'https://api.example.com/models?page=2', dpop: undefined }

const read = (authorization: IncomingRequest['authorization'], dpop?: IncomingRequest['dpop']) =>
  readAuthorization({ ...REQUEST, authorization, dpop })

const refusalOf = async (authorization: IncomingRequest['authorization'], dpop?: IncomingRequest['dpop']) => {
  const { code, status, message } = await catchRefusal(() => read(authorization, dpop))
  return [code, status, message]
}

describe('the Authorization header', () => {
  it.each(['Bearer a.b.c', 'bearer a.b.c', 'BEARER   a.b.c', ['Bearer a.b.c']])(
    'of %j holds the token of a bearer',
    (authorization) => {
      expect(read(authorization)).toEqual({ scheme: 'Bearer', token: 'a.b.c', proof: undefined })
    },
  )

  it.each([undefined, '', [], 'Basic dXNlcjpwYXNz', 'Bearerer a.b.c', 'a.b.c', ' Bearer a.b.c'])(
    'of %j holds none',
    async (authorization) => {
      expect(await refusalOf(authorization)).toEqual([
        'token_missing',
        401,
        'The request has no access token',
      ])
    },
  )

  it.each(['Bearer', 'Bearer ', 'Bearer a b', 'Bearer a, Bearer b', 'DPoP', 'Bearer a\n', 'Bearer "a"'])(
    'of %j is malformed',
    async (authorization) => {
      expect(await refusalOf(authorization)).toEqual([
        'request_invalid',
        400,
        'The Authorization header is malformed',
      ])
    },
  )

  it('stands once', async () => {
    expect(await refusalOf(['Bearer a.b.c', 'Bearer a.b.c'])).toEqual([
      'request_invalid',
      400,
      'The request has two Authorization headers',
    ])
  })
})

describe('the scheme DPoP', () => {
  it.each([
    [undefined, []],
    ['d.e.f', ['d.e.f']],
    [
      ['d.e.f', 'g.h.i'],
      ['d.e.f', 'g.h.i'],
    ],
  ])('with the header DPoP of %j comes with the proofs %j', (dpop, proofs) => {
    expect(read('dpop a.b.c', dpop)).toEqual({
      scheme: 'DPoP',
      token: 'a.b.c',
      proof: { proofs, method: 'GET', url: 'https://api.example.com/models?page=2' },
    })
  })

  it('is the only one for proofs', async () => {
    expect(await refusalOf('Bearer a.b.c', 'd.e.f')).toEqual([
      'request_invalid',
      400,
      'A DPoP proof needs the scheme DPoP',
    ])
  })
})
