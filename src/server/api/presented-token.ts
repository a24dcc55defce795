// What a caller presents in `Authorization`: by the scheme Bearer (RFC 6750), or by the scheme DPoP with a proof of the
// key the token is bound to (RFC 9449 section 7). A proof without that scheme is refused, never ignored.

import type { Context } from 'koa'
import type { Proof } from '../../dpop/proof.ts'
import { DPOP_ALGORITHMS } from '../../protocol/dpop.ts'
import { fail, ok, type Result } from '../../protocol/result.ts'
import type { ProofChecks } from '../dpop/proof-checks.ts'
import { Problem } from '../http/problem.ts'
import type { Challenge } from './challenge.ts'

export interface PresentedToken {
  readonly token: string
  /** Of the key the token has to be bound to, not yet spent; null for a bearer. */
  readonly proof: Proof | null
}

export interface TokenReading {
  readonly proofs: ProofChecks
  readonly issuer: string
}

const AUTHORIZATION = /^(Bearer|DPoP) ([\w.~+/-]+=*)$/i

/** Reads it at `now`; fails with the challenge of what is missing or does not hold. */
export async function readPresentedToken(
  ctx: Context,
  { proofs, issuer }: TokenReading,
  now: Date,
): Promise<Result<PresentedToken, Challenge>> {
  const [, scheme = '', token = ''] = AUTHORIZATION.exec(ctx.get('Authorization')) ?? []
  const proofText = ctx.req.headers['dpop']
  if (scheme.toLowerCase() !== 'dpop') {
    if (proofText !== undefined)
      throw new Problem('invalid_request', 'A DPoP proof needs a token in the scheme DPoP')
    return token ? ok({ token, proof: null }) : fail({ scheme: 'Bearer' })
  }
  if (proofs.issueNonce) ctx.set('DPoP-Nonce', proofs.issueNonce(now))
  const request = { method: ctx.method, uri: issuer + ctx.path, accessToken: token }
  const proof = await proofs.verifyProof(String(proofText ?? ''), request, now)
  if (!proof.ok)
    return fail(challengeDpop(proof.error === 'proof_nonce_wrong' ? 'use_dpop_nonce' : 'invalid_dpop_proof'))
  return ok({ token, proof: proof.value })
}

/** The challenge of a token that was read, and is refused or not enough: it came with this proof, or from a bearer. */
export const challengeToken = (
  proof: PresentedToken['proof'],
  error: 'invalid_token' | 'insufficient_scope',
  parameters: Challenge['parameters'] = {},
): Challenge =>
  proof === null
    ? { scheme: 'Bearer', parameters: { error, ...parameters } }
    : challengeDpop(error, parameters)

export const challengeDpop = (error: string, parameters: Challenge['parameters'] = {}): Challenge => ({
  scheme: 'DPoP',
  parameters: { error, ...parameters, algs: DPOP_ALGORITHMS.join(' ') },
})
