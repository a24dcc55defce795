// Reading an access token of ours back: this server's own keys, no network.

import { errors, jwtVerify } from 'jose'
import { ACCESS_TOKEN_TYP, type AccessTokenClaims, SIGNING_ALGORITHMS } from '../../protocol/access-token.ts'
import type { PresentedJwt } from '../../protocol/presented-jwt.ts'
import type { KeyRing } from './key-ring.ts'

/** Reads a token; `undefined` unless it is an access token of ours that is not expired at `now`. */
export type ReadOwnToken = (token: PresentedJwt, now: Date) => Promise<AccessTokenClaims | undefined>

const REQUIRED_CLAIMS = ['sub', 'aud', 'exp', 'iat', 'jti', 'client_id', 'org', 'cred', 'scope']

export function createOwnTokenReader(keyRing: Pick<KeyRing, 'findKey'>, issuer: string): ReadOwnToken {
  return async (token, now) => {
    try {
      const { payload } = await jwtVerify<AccessTokenClaims>(token.reveal(), keyRing.findKey, {
        issuer,
        typ: ACCESS_TOKEN_TYP,
        algorithms: [...SIGNING_ALGORITHMS],
        requiredClaims: REQUIRED_CLAIMS,
        currentDate: now,
      })
      // Whatever our keys have signed under this type, we have composed.
      return payload
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined
      throw error
    }
  }
}
