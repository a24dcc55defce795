// Every way a signature, its encoding or its key can be wrong for the four algorithms: RFC 7515, 7518 and 8725. Nothing
// of it is accepted, and beside each table stands what is made by the same hand and good.

import type { JWK } from 'jose'
import { describe, expect, it } from 'vitest'
import { SIGNING_ALGORITHMS } from '../../../src/protocol/access-token.ts'
import { createVerifier } from '../../../src/verify/index.ts'
import {
  AUDIENCE,
  CLAIMS,
  catchRefusal,
  ISSUER,
  JWKS,
  NOW,
  signingKey,
  signToken,
  stubFetch,
} from './issuer-fixture.ts'
import { ES256_TWINS, ES256_VECTORS } from './vectors/ecdsa.ts'
import { EDDSA_VECTORS } from './vectors/ed25519.ts'
import { ENCODED_BY_HAND, ENCODING_VECTORS } from './vectors/encodings.ts'
import { PUBLISHED_KEYS } from './vectors/published-keys.ts'
import { PS256_BY_HAND, PS256_VECTORS, RS256_BY_HAND, RS256_VECTORS } from './vectors/rsa.ts'
import type { Vector } from './vectors/vector.ts'

const verifyWith = (keys: Vector['keys'], token: string) =>
  createVerifier({ issuer: ISSUER, audience: AUDIENCE, now: () => NOW, fetch: stubFetch({ keys }) }).verify(
    token,
  )

const TABLES: Record<string, readonly Vector[]> = {
  ES256: ES256_VECTORS,
  EdDSA: EDDSA_VECTORS,
  RS256: RS256_VECTORS,
  PS256: PS256_VECTORS,
  'published keys': PUBLISHED_KEYS,
  base64url: ENCODING_VECTORS,
}

describe.each(Object.entries(TABLES))('%s', (_table, vectors) => {
  it.each(vectors)('refuses $name: $code', async ({ keys, token, code }) => {
    const error = await catchRefusal(() => verifyWith(keys, token), token)
    expect(error.code).toBe(code)
  })
})

describe('what the tables are made of', () => {
  it.each(SIGNING_ALGORITHMS)('is good as it was, with %s', async (alg) => {
    const token = await signToken(CLAIMS, {}, signingKey(alg))
    const publish = (change: (jwk: JWK) => JWK): readonly JWK[] =>
      JWKS.keys.map((jwk) => (jwk.alg === alg ? change(jwk) : jwk))
    expect(await verifyWith(JWKS.keys, token)).toEqual(CLAIMS)
    expect(
      await verifyWith(
        publish((jwk) => ({ ...jwk, key_ops: ['verify'] })),
        token,
      ),
    ).toEqual(CLAIMS)
    expect(
      await verifyWith(
        publish(({ use: _use, ...jwk }) => jwk),
        token,
      ),
    ).toEqual(CLAIMS)
  })

  it.each([
    ['a block of RS256', RS256_BY_HAND],
    ['a block of PS256', PS256_BY_HAND],
  ])('is good where it was made by hand: %s', async (_name, token) => {
    expect(await verifyWith(JWKS.keys, token)).toEqual(CLAIMS)
  })

  it('is good where it was spelled by hand', async () => {
    expect(await verifyWith(JWKS.keys, ENCODED_BY_HAND)).toMatchObject(CLAIMS)
  })

  it('knows that ECDSA has two signatures for each, of which tokens the jti is the same', async () => {
    const [one, other] = await Promise.all(ES256_TWINS.map((token) => verifyWith(JWKS.keys, token)))
    expect(one).toEqual(other)
    expect(new Set(ES256_TWINS).size).toBe(2)
  })
})
