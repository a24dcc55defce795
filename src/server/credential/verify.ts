// From a presented credential to its standing, or the true cause it is refused. Neither HTTP nor OAuth is known here.

import { isAddressAllowed } from '../../protocol/cidr.ts'
import type { PresentedCredential } from '../../protocol/credential.ts'
import { fail, ok, type Result } from '../../protocol/result.ts'
import type { CredentialHasher } from './hash.ts'
import { findProblem, type Standing, type StandingProblem } from './standing.ts'

export type CredentialRefusal =
  | StandingProblem
  | { readonly reason: 'credential_unknown' | 'secret_mismatch' | 'address_not_allowed' }

/** What a credential is judged by, beside its standing. */
export interface Circumstances {
  readonly now: Date
  /** The client's address, IPv4 or IPv6. */
  readonly address: string
}

/** The circumstances of a request, with what tells it from others in the records of what the check brings about. */
export interface VerificationContext extends Circumstances {
  /** The client that authenticated itself; null for a public one, and where there is none. */
  readonly clientId: string | null
  readonly userAgent: string | undefined
  readonly requestId: string
}

/** What a refusal is worth to the audit record: the standing, once the credential was found. */
export interface RefusedCredential {
  readonly refusal: CredentialRefusal
  readonly standing: Standing | undefined
}

export type VerifyCredential<Context extends Circumstances = VerificationContext> = (
  credential: PresentedCredential,
  context: Context,
) => Promise<Result<Standing, RefusedCredential>>

/** Reacts to a credential that has a successor, and was presented with the right secret after its end. */
export type ReportReuse<Context extends Circumstances = VerificationContext> = (
  standing: Standing,
  context: Context,
) => Promise<void>

/**
 * Builds the check. Its one read is `findStanding`; the hash is compared before anything else is judged, and an unknown
 * id takes the time of a wrong secret. A refusal waits for `reportReuse` where that is due.
 */
export function createVerifyCredential<Context extends Circumstances>(
  findStanding: (presented: PresentedCredential) => Promise<Standing | undefined>,
  hasher: Pick<CredentialHasher, 'matches'>,
  reportReuse: ReportReuse<Context>,
): VerifyCredential<Context> {
  return async (presented, context) => {
    const standing = await findStanding(presented)
    const refuse = (refusal: CredentialRefusal) => fail({ refusal, standing })
    const known = standing?.credential.kind === presented.kind ? standing : undefined
    const isRight = await hasher.matches(presented, known?.secretHash)
    if (!known) return refuse({ reason: 'credential_unknown' })
    if (!isRight) return refuse({ reason: 'secret_mismatch' })
    const refusal = judge(known, context)
    if (refusal && isReuse(known, refusal)) await reportReuse(known, context)
    return refusal ? refuse(refusal) : ok(known)
  }
}

/** Also of one that was revoked: whoever stole and rotated it could revoke what is left, to make the owner's use mute. */
const isReuse = ({ credential }: Standing, { reason }: CredentialRefusal): boolean =>
  credential.overlapUntil !== null && (reason === 'credential_superseded' || reason === 'credential_revoked')

/** Checks again the credential an access token was exchanged from, whose value nobody presented. */
export type RecheckCredential = (
  id: string,
  circumstances: Circumstances,
) => Promise<Result<Standing, RefusedCredential>>

export function createRecheckCredential(
  loadStanding: (id: string) => Promise<Standing | undefined>,
): RecheckCredential {
  return async (id, circumstances) => {
    const standing = await loadStanding(id)
    if (!standing) return fail({ refusal: { reason: 'credential_unknown' }, standing })
    const refusal = judge(standing, circumstances)
    return refusal ? fail({ refusal, standing }) : ok(standing)
  }
}

function judge(standing: Standing, { now, address }: Circumstances): CredentialRefusal | null {
  const problem = findProblem(standing, now)
  if (problem) return problem
  const { allowedCidrs } = standing.credential
  return allowedCidrs && !isAddressAllowed(allowedCidrs, address) ? { reason: 'address_not_allowed' } : null
}
