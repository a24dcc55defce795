// A token that is bound to a key is worth nothing without a proof by that key (RFC 9449 section 7). To exchange it is no
// way out: what comes of it is bound to the same key.

import type { AccessTokenClaims } from '../../protocol/access-token.ts'
import { ok, type Result } from '../../protocol/result.ts'
import type { ExchangeWish } from './request.ts'

/** Whether whoever presents the token has shown what it asks for; null is the credential itself, which is bound to no key. */
export const isProven = (
  { proofKey }: Pick<ExchangeWish, 'proofKey'>,
  token: Pick<AccessTokenClaims, 'cnf'> | null,
): boolean => token?.cnf === undefined || token.cnf.jkt === proofKey

/** The wish with a proof by this key, if there is one. */
export const addProof = <Refused>(
  wish: Result<ExchangeWish, Refused>,
  proofKey: string | undefined,
): Result<ExchangeWish, Refused> =>
  wish.ok && proofKey !== undefined ? ok({ ...wish.value, proofKey }) : wish
