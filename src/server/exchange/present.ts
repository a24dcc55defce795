// What somebody presents as themselves: a credential, whose secret is checked, or an access token of ours, whose
// credential is checked again as it stands now. Whatever a token was issued for, it never outlives its credential.

import type { AccessTokenClaims } from '../../protocol/access-token.ts'
import { type PresentedCredential, parseCredential } from '../../protocol/credential.ts'
import { type PresentedJwt, parseJwt } from '../../protocol/presented-jwt.ts'
import { fail, ok, type Result } from '../../protocol/result.ts'
import { ACCESS_TOKEN_TYPE, JWT_TYPE } from '../../protocol/urn.ts'
import type { Standing } from '../credential/standing.ts'
import type {
  CredentialRefusal,
  RecheckCredential,
  VerificationContext,
  VerifyCredential,
} from '../credential/verify.ts'

export type Presented = PresentedCredential | PresentedJwt

/** A credential or a JWT, as its type says: an access token may be either. */
export function parsePresented(text: string, type: unknown): Presented | undefined {
  const credential = type === JWT_TYPE ? undefined : parseCredential(text)
  return credential ?? (type === JWT_TYPE || type === ACCESS_TOKEN_TYPE ? parseJwt(text) : undefined)
}

/** Who stands behind what was presented. */
export interface Presenter {
  readonly standing: Standing
  /** Of the access token that was presented; null for the credential itself. */
  readonly token: AccessTokenClaims | null
}

export type PresentationRefusal = CredentialRefusal | { readonly reason: 'token_invalid' | 'token_revoked' }

/** What a refusal is worth to the audit record: the standing, once there was one. */
export interface RefusedPresentation {
  readonly refusal: PresentationRefusal
  readonly standing: Standing | undefined
}

export type CheckPresented = (
  presented: Presented,
  context: VerificationContext,
) => Promise<Result<Presenter, RefusedPresentation>>

export interface PresentationChecks {
  readonly verifyCredential: VerifyCredential
  readonly recheckCredential: RecheckCredential
  /** The claims of an access token of ours that has not expired; undefined for any other. */
  readonly readToken: (token: PresentedJwt, now: Date) => Promise<AccessTokenClaims | undefined>
  /** Whether the access token of this `jti` was revoked by itself. */
  readonly isTokenRevoked: (tokenId: string) => Promise<boolean>
  /** Told of what is no token of ours. */
  readonly noteForged: (context: VerificationContext) => Promise<void>
}

export function createCheckPresented(checks: PresentationChecks): CheckPresented {
  const { verifyCredential, recheckCredential, readToken, isTokenRevoked, noteForged } = checks
  return async (presented, context) => {
    if (presented.kind !== 'jwt') {
      const verified = await verifyCredential(presented, context)
      return verified.ok ? ok({ standing: verified.value, token: null }) : verified
    }
    const token = await readToken(presented, context.now)
    if (!token) {
      await noteForged(context)
      return fail({ refusal: { reason: 'token_invalid' }, standing: undefined })
    }
    const [rechecked, isRevoked] = await Promise.all([
      recheckCredential(token.cred, context),
      isTokenRevoked(token.jti),
    ])
    if (!rechecked.ok) return rechecked
    const standing = rechecked.value
    return isRevoked ? fail({ refusal: { reason: 'token_revoked' }, standing }) : ok({ standing, token })
  }
}
