// Reading an access token of ours back, for the management API: this server's own keys, no network.

import { createLocalJWKSet, errors, type JWTPayload, jwtVerify } from 'jose'
import { ACCESS_TOKEN_TYP, SIGNING_ALGORITHMS } from '../../protocol/access-token.ts'
import type { KeyRing } from './key-ring.ts'

/** What an access token of ours says about who may do what. */
export interface OwnToken {
  readonly credentialId: string
  readonly scopes: readonly string[]
}

/** Reads a token; `undefined` unless it is one of ours, for this audience, and not expired at `now`. */
export type ReadOwnToken = (token: string, now: Date) => Promise<OwnToken | undefined>

// jose accepts padding and line breaks inside a signature.
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/
const MAX_LENGTH = 16_384

export function createOwnTokenReader(keyRing: KeyRing, issuer: string, audience: string): ReadOwnToken {
  const keys = createLocalJWKSet({
    keys: keyRing.publicJwks.keys.map((key) => ({ ...key, kty: key['kty'] ?? '' })),
  })
  return async (token, now) => {
    if (token.length > MAX_LENGTH || !COMPACT.test(token)) return undefined
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience,
        typ: ACCESS_TOKEN_TYP,
        algorithms: [...SIGNING_ALGORITHMS],
        requiredClaims: ['exp', 'cred', 'scope'],
        currentDate: now,
      })
      return toOwnToken(payload)
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined
      throw error
    }
  }
}

function toOwnToken({ cred, scope }: JWTPayload): OwnToken | undefined {
  return typeof cred === 'string' && typeof scope === 'string'
    ? { credentialId: cred, scopes: scope.split(' ') }
    : undefined
}
