// The DPoP proof of a token request (RFC 9449 section 5): read before anything is looked up, and never ignored.

import type { Context } from 'koa'
import type { Proof } from '../../dpop/proof.ts'
import type { ProofChecks } from '../dpop/proof-checks.ts'
import { toOAuthError } from './oauth-error.ts'

export interface ProofDependencies {
  readonly proofs: ProofChecks
  /** The token endpoint, as the issuer spells it. */
  readonly tokenUri: string
  readonly clock: () => Date
}

/** A header sent twice is one text with a comma, which is no proof; an empty one is none either. */
export const bringsProof = ({ req: { headers } }: Context): boolean => headers['dpop'] !== undefined

/** Verifies the proof, and gives the nonce for the next. Throws the OAuth error of one that does not hold. */
export async function readProof(
  ctx: Context,
  { proofs, tokenUri, clock }: ProofDependencies,
): Promise<Proof> {
  const now = clock()
  if (proofs.issueNonce) tellNonce(ctx, proofs.issueNonce(now))
  const proof = await proofs.verifyProof(ctx.get('DPoP'), { method: 'POST', uri: tokenUri }, now)
  if (!proof.ok) throw toOAuthError({ reason: 'proof_refused', cause: proof.error })
  return proof.value
}

/** For pages too, which see no other headers than those named (Fetch standard, CORS protocol). */
function tellNonce(ctx: Context, nonce: string): void {
  ctx.set('DPoP-Nonce', nonce)
  if (ctx.req.headers.origin !== undefined)
    ctx.set('Access-Control-Expose-Headers', 'DPoP-Nonce, WWW-Authenticate')
}
