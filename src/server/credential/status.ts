// What owners and admins are told about a credential: a status, and a stable word where there is more to say.

import { findProblem, type Standing } from './standing.ts'

export type CredentialStatus = 'active' | 'expired' | 'revoked' | 'suspended' | 'blocked_by_policy'

/** The status its owner and admins see. */
export function statusOf(standing: Standing, now: Date): CredentialStatus {
  const problem = findProblem(standing, now)
  if (!problem) return 'active'
  switch (problem.reason) {
    case 'credential_revoked':
    case 'credential_superseded':
    case 'organization_deleted':
    case 'owner_deleted':
      return 'revoked'
    case 'credential_expired':
      return 'expired'
    case 'owner_suspended':
    case 'membership_missing':
    case 'role_missing':
      return 'suspended'
    case 'blocked_by_policy':
      return 'blocked_by_policy'
  }
}

/** Why the status is what it is, for its owner and admins: one stable word, or null when there is nothing to add. */
export function statusDetailOf(standing: Standing, now: Date): string | null {
  const { credential } = standing
  const problem = findProblem(standing, now)
  if (!problem) {
    if (credential.reuseDetectedAt) return 'predecessor_reused'
    return credential.overlapUntil ? 'rotated' : null
  }
  switch (problem.reason) {
    case 'credential_revoked':
      return credential.revokedReason
    case 'credential_expired':
      return null
    case 'credential_superseded':
      return 'rotated'
    case 'blocked_by_policy':
      return problem.rule
    default:
      return problem.reason
  }
}
