// Rotating a credential: a successor with the same rights takes its place, and the old value works on for an overlap.
// One successor at most, and none while the predecessor still works: never more than two of a family do.

import { fail, ok, type Result } from '../../protocol/result.ts'
import { narrowScopes } from '../../protocol/scope.ts'
import type { Queryable } from '../db/database.ts'
import { type LifetimeWish, type PolicyViolation, resolveExpiry } from '../policy/creation.ts'
import { addSeconds } from '../policy/effective-expiry.ts'
import type { FreshCredential } from './issue.ts'
import { type Credential, findEnd, findProblem, type Standing } from './standing.ts'
import { findStandings } from './standing-store.ts'
import type { Issuer } from './store.ts'
import { insertSuccessor, setOverlap } from './successor-store.ts'

export interface RotateRequest {
  /** Null: as long as was agreed before, counted anew, or as long as policy allows where that is less. */
  readonly lifetime: LifetimeWish | null
  /** How long the old value works on. */
  readonly overlapSeconds: number
  /** Whether the suspicion on the old one stays with it. Only its owner in person can know that it is unfounded. */
  readonly clearsSuspicion: boolean
  /** Whether the successor may live longer than what was agreed before. Not when a credential rotates itself. */
  readonly mayExtend: boolean
  /** Who sees the new value and is not its holder: it never manages more than they do. Null for nobody. */
  readonly issuer: Issuer | null
}

export type RotateRefusal =
  | PolicyViolation
  | { readonly reason: 'not_active' | 'already_rotated' | 'lifetime_extended' }

/** Rotates what `holdCredential` gave in the same transaction. Fails when it does not work, has been or policy says no. */
export async function rotateCredential(
  transaction: Queryable,
  standing: Standing,
  fresh: FreshCredential,
  { lifetime, overlapSeconds, clearsSuspicion, mayExtend, issuer }: RotateRequest,
  now: Date,
): Promise<Result<null, RotateRefusal>> {
  const { credential, policies, role } = standing
  if (credential.overlapUntil && !credential.revokedAt) return fail({ reason: 'already_rotated' })
  if (findProblem(standing, now)) return fail({ reason: 'not_active' })
  if (await hasLivePredecessor(transaction, credential, now)) return fail({ reason: 'already_rotated' })
  const agreed = findAgreedEnd(credential, now)
  if (!mayExtend && lifetime && isLater(lifetime, agreed)) return fail({ reason: 'lifetime_extended' })
  const wish = lifetime ?? { kind: 'up_to', at: agreed }
  const expiresAt = resolveExpiry(wish, policies, role?.name ?? '', now)
  if (!expiresAt.ok) return expiresAt
  await insertSuccessor(transaction, credential.id, {
    id: fresh.value.id,
    secretHash: fresh.secretHash,
    createdAt: now,
    expiresAt: expiresAt.value,
    reuseDetectedAt: clearsSuspicion ? null : credential.reuseDetectedAt,
    issuer: issuer && withinBounds(issuer, credential),
  })
  await setOverlap(transaction, credential.id, addSeconds(now, overlapSeconds))
  return ok(null)
}

/** The issuer, with what is left of their rights within the bounds of those who have seen the value before. */
const withinBounds = (issuer: Issuer, { issuedReach, issuedScopes }: Credential): Issuer => ({
  subject: issuer.subject,
  reach: issuedReach === 'organization' ? issuedReach : issuer.reach,
  scopes: issuedScopes ? narrowScopes(issuer.scopes, issuedScopes) : issuer.scopes,
})

/** When a successor made at `now` ends that lives as long as was agreed; `null` for never. */
const findAgreedEnd = ({ createdAt, expiresAt }: Credential, now: Date): Date | null =>
  expiresAt && new Date(now.getTime() + expiresAt.getTime() - createdAt.getTime())

const isLater = (wish: LifetimeWish, agreed: Date | null): boolean =>
  agreed !== null && (wish.kind !== 'until' || wish.at > agreed)

async function hasLivePredecessor(
  transaction: Queryable,
  { replaces }: Credential,
  now: Date,
): Promise<boolean> {
  const [predecessor] = replaces === null ? [] : await findStandings(transaction, [replaces])
  return predecessor !== undefined && findEnd(predecessor.credential, now) === null
}
