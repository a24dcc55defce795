// The standing of a credential: everything the database says about it and about whoever holds it, now.
// Nothing of it is ever cached.

import type { CredentialKind } from '../../protocol/credential.ts'
import type { Grant } from '../db/role-grants.ts'
import { type EffectiveExpiry, effectiveExpiry } from '../policy/effective-expiry.ts'
import type { Policies } from '../policy/policy.ts'

/** An audience with scopes. */
export interface Permission {
  readonly audience: string
  readonly scopes: readonly string[]
}

export type { Grant }

/** A grant as far as a credential has it. */
export interface HeldGrant extends Grant {
  /** The role's own scopes, where `issuedScopes` leaves less of them. */
  readonly ofRole?: readonly string[]
}

export interface Role {
  readonly name: string
  readonly reach: 'platform' | 'organization'
  readonly grants: readonly HeldGrant[]
}

/** As it is stored and travels. */
export interface PermittedActor {
  /** The actor's subject. */
  readonly sub: string
  /** The client that may ask for it; absent: every one. */
  readonly client_id?: string | undefined
}

export interface Credential {
  readonly id: string
  readonly kind: CredentialKind
  readonly name: string
  readonly permissions: readonly Permission[] | null
  readonly allowedCidrs: readonly string[] | null
  /** Who may act for its subject; null for nobody. */
  readonly mayAct: readonly PermittedActor[] | null
  /** How far it may manage at most, because somebody else issued it; null for no limit but the role's. */
  readonly issuedReach: 'platform' | 'organization' | null
  /** The scopes of the management API it has at most, for the same reason; null for no limit but the role's. */
  readonly issuedScopes: readonly string[] | null
  readonly createdAt: Date
  readonly expiresAt: Date | null
  readonly lastUsedAt: Date | null
  readonly lastUsedIp: string | null
  readonly revokedAt: Date | null
  readonly revokedReason: string | null
  /** Its place in the token status lists. */
  readonly statusIndex: number
  /** The credential it is the successor of. */
  readonly replaces: string | null
  /** Set when a successor exists: the instant this one stops. */
  readonly overlapUntil: Date | null
  /** Its predecessor was used after the overlap: somebody holds a value they should not. */
  readonly reuseDetectedAt: Date | null
}

export interface Standing {
  readonly credential: Credential
  readonly secretHash: string
  readonly organization: { readonly id: string; readonly slug: string; readonly isDeleted: boolean }
  /** Null for an API key. */
  readonly owner: {
    readonly id: string
    readonly status: 'active' | 'suspended' | 'deleted'
    /** Of the credential's organization. */
    readonly isMember: boolean
  } | null
  /**
   * With what it gives this credential: of management no more than its issuer had. Null without a membership, and when
   * the role was deleted.
   */
  readonly role: Role | null
  readonly policies: Policies
}

/** Whose a credential is, as far as its subject goes. */
export interface Held {
  readonly owner: Pick<NonNullable<Standing['owner']>, 'id'> | null
  readonly credential: Pick<Credential, 'id'>
}

/** `sub` of what the credential is exchanged for: the user's id, or `key:<id>`. */
export const subjectOf = ({ owner, credential }: Held): string => owner?.id ?? `key:${credential.id}`

/** When a credential stops working: by agreement, by policy, or because its successor takes over. */
export type CredentialExpiry = EffectiveExpiry | { readonly at: Date; readonly cause: 'overlap_until' }

/** The earliest instant at which the credential stops working; `null` for never. */
export function expiryOf({ credential, role, policies }: Standing): CredentialExpiry | null {
  const expiry = effectiveExpiry({ ...credential, roleName: role?.name ?? '' }, policies)
  const { overlapUntil } = credential
  if (!overlapUntil || (expiry && expiry.at <= overlapUntil)) return expiry
  return { at: overlapUntil, cause: 'overlap_until' }
}

export interface CredentialEnd {
  readonly reason: 'credential_revoked' | 'credential_superseded' | 'credential_expired'
}

/** What ended the credential for good by `now`; `null` when nothing did. */
export function findEnd(credential: Credential, now: Date): CredentialEnd | null {
  if (credential.revokedAt) return { reason: 'credential_revoked' }
  if (credential.overlapUntil && credential.overlapUntil <= now) return { reason: 'credential_superseded' }
  if (credential.expiresAt && credential.expiresAt <= now) return { reason: 'credential_expired' }
  return null
}

export type StandingProblem =
  | CredentialEnd
  | { readonly reason: 'organization_deleted' | 'owner_deleted' | 'owner_suspended' }
  | { readonly reason: 'membership_missing' | 'role_missing' }
  | { readonly reason: 'blocked_by_policy'; readonly rule: 'max_lifetime' | 'idle_timeout' }

/** The first reason the credential does not work at `now`, the irrevocable ones first; `null` when it does. */
export function findProblem(standing: Standing, now: Date): StandingProblem | null {
  const { credential, organization, owner, role } = standing
  const end = findEnd(credential, now)
  if (end) return end
  if (organization.isDeleted) return { reason: 'organization_deleted' }
  if (owner?.status === 'deleted') return { reason: 'owner_deleted' }
  if (owner?.status === 'suspended') return { reason: 'owner_suspended' }
  if (owner && !owner.isMember) return { reason: 'membership_missing' }
  if (!role) return { reason: 'role_missing' }
  const expiry = expiryOf(standing)
  if (expiry && 'level' in expiry && expiry.at <= now) {
    return { reason: 'blocked_by_policy', rule: expiry.cause }
  }
  return null
}
