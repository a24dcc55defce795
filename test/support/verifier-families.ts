// Other people's verifiers as their documentation sets them up, each with the caches it has by default; and two of the
// extremes: our own, and one that keeps the key set for its max-age and asks for nothing in between.

import { JwtVerifier } from 'aws-jwt-verify'
import { SimpleJwksCache } from 'aws-jwt-verify/jwk'
import { createVerifier as createFastVerifier, type DecodedJwt } from 'fast-jwt'
import buildGetJwks from 'get-jwks'
import { createLocalJWKSet, createRemoteJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import jsonwebtoken from 'jsonwebtoken'
import { JwksClient } from 'jwks-rsa'
import { STATUS_LISTS_PATH } from '../../src/protocol/status-list.ts'
import { createVerifier } from '../../src/verify/index.ts'

export interface Issuer {
  /** Where the key set and the status lists are, below an origin that every verifier is pointed to. */
  readonly origin: string
  readonly issuer: string
  readonly audience: string
}

/** Rejects when the token does not pass. */
export type Verify = (token: string) => Promise<unknown>

export const JWKS_PATH = '/.well-known/jwks.json'

/** A verifier of each family, none of which has fetched anything yet. */
export const createFamilies = (issuer: Issuer): Record<string, Verify> => ({
  jose: viaJose(issuer),
  'jsonwebtoken and jwks-rsa': viaJsonwebtoken(issuer),
  'fast-jwt and get-jwks': viaFastJwt(issuer),
  'aws-jwt-verify': viaAws(issuer),
  'patmint/verify': viaPatmint(issuer),
  'the whole set for its max-age': viaWholeSet(issuer),
})

function viaJose({ origin, issuer, audience }: Issuer): Verify {
  const keys = createRemoteJWKSet(new URL(JWKS_PATH, origin))
  return (token) => jwtVerify(token, keys, { issuer, audience })
}

function viaJsonwebtoken({ origin, issuer, audience }: Issuer): Verify {
  const client = new JwksClient({ jwksUri: origin + JWKS_PATH })
  return (token) =>
    new Promise((resolve, reject) => {
      jsonwebtoken.verify(
        token,
        ({ kid }, found) =>
          client.getSigningKey(kid).then(
            (key) => found(null, key.getPublicKey()),
            (error: Error) => found(error),
          ),
        { algorithms: ['ES256'], issuer, audience },
        (error, claims) => (error ? reject(error) : resolve(claims)),
      )
    })
}

function viaFastJwt({ origin, issuer, audience }: Issuer): Verify {
  const jwks = buildGetJwks()
  const verify = createFastVerifier({
    key: ({ header }: DecodedJwt) =>
      jwks.getPublicKey({ kid: header['kid'], alg: header['alg'], domain: origin }),
    allowedIss: issuer,
    allowedAud: audience,
  })
  return (token) => verify(token)
}

function viaAws({ origin, issuer, audience }: Issuer): Verify {
  // Its own transport speaks TLS alone; the cache stays as it is.
  const fetcher = { fetch: async (uri: string) => (await fetch(uri)).arrayBuffer() }
  const verifier = JwtVerifier.create(
    { issuer, audience, jwksUri: origin + JWKS_PATH },
    { jwksCache: new SimpleJwksCache({ fetcher }) },
  )
  return (token) => verifier.verify(token)
}

function viaPatmint({ origin, issuer, audience }: Issuer): Verify {
  const verifier = createVerifier({
    issuer,
    audience,
    jwksUri: origin + JWKS_PATH,
    statusList: { url: origin + STATUS_LISTS_PATH },
    allowInsecureHttp: true,
  })
  return (token) => verifier.verify(token)
}

function viaWholeSet({ origin, issuer, audience }: Issuer): Verify {
  let kept: { readonly keys: ReturnType<typeof createLocalJWKSet>; readonly until: number } | undefined
  return async (token) => {
    if (!kept || performance.now() >= kept.until) {
      const response = await fetch(origin + JWKS_PATH)
      const [, maxAge = '0'] = /max-age=(\d+)/.exec(response.headers.get('cache-control') ?? '') ?? []
      const keys = createLocalJWKSet((await response.json()) as JSONWebKeySet)
      kept = { keys, until: performance.now() + Number(maxAge) * 1000 }
    }
    await jwtVerify(token, kept.keys, { issuer, audience })
  }
}
