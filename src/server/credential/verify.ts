// From a presented credential to its standing, or the true cause it is refused. Neither HTTP nor OAuth is known here.

import { isAddressAllowed } from '../../protocol/cidr.ts'
import type { PresentedCredential } from '../../protocol/credential.ts'
import { fail, ok, type Result } from '../../protocol/result.ts'
import type { CredentialHasher } from './hash.ts'
import { findProblem, type Standing, type StandingProblem } from './standing.ts'

export type CredentialRefusal =
  | StandingProblem
  | { readonly reason: 'credential_unknown' | 'secret_mismatch' | 'address_not_allowed' }

export interface VerificationContext {
  readonly now: Date
  /** The client's address, IPv4 or IPv6. */
  readonly address: string
}

/** What a refusal is worth to the audit record: the standing, once the credential was found. */
export interface RefusedCredential {
  readonly refusal: CredentialRefusal
  readonly standing: Standing | undefined
}

export type VerifyCredential = (
  credential: PresentedCredential,
  context: VerificationContext,
) => Promise<Result<Standing, RefusedCredential>>

/** Reacts to a credential that has a successor, and was presented with the right secret after its overlap. */
export type ReportReuse = (standing: Standing, context: VerificationContext) => Promise<void>

/**
 * Builds the check. Its one read is `loadStanding`; the hash is compared before anything else is judged. A refusal
 * waits for `reportReuse` where that is due.
 */
export function createVerifyCredential(
  loadStanding: (id: string) => Promise<Standing | undefined>,
  hasher: CredentialHasher,
  reportReuse: ReportReuse,
): VerifyCredential {
  return async (presented, context) => {
    const standing = await loadStanding(presented.id)
    const refuse = (refusal: CredentialRefusal) => fail({ refusal, standing })
    if (!standing || standing.credential.kind !== presented.kind)
      return refuse({ reason: 'credential_unknown' })
    if (!(await hasher.matches(presented, standing.secretHash))) return refuse({ reason: 'secret_mismatch' })
    const refusal = judge(standing, context)
    if (refusal?.reason === 'credential_superseded') await reportReuse(standing, context)
    return refusal ? refuse(refusal) : ok(standing)
  }
}

/** Checks again the credential an access token was exchanged from, whose value nobody presented. */
export type RecheckCredential = (
  id: string,
  context: VerificationContext,
) => Promise<Result<Standing, RefusedCredential>>

export function createRecheckCredential(
  loadStanding: (id: string) => Promise<Standing | undefined>,
): RecheckCredential {
  return async (id, context) => {
    const standing = await loadStanding(id)
    if (!standing) return fail({ refusal: { reason: 'credential_unknown' }, standing })
    const refusal = judge(standing, context)
    return refusal ? fail({ refusal, standing }) : ok(standing)
  }
}

function judge(standing: Standing, { now, address }: VerificationContext): CredentialRefusal | null {
  const problem = findProblem(standing, now)
  if (problem) return problem
  const { allowedCidrs } = standing.credential
  return allowedCidrs && !isAddressAllowed(allowedCidrs, address) ? { reason: 'address_not_allowed' } : null
}
