// Issuing a PAT: what the owner may have, checked and written under a lock on the owner's row, because the limit on
// active credentials would otherwise race. The caller's own rights are the caller's business.

import { randomBytes } from 'node:crypto'
import {
  type CredentialKind,
  generateCredential,
  type PresentedCredential,
} from '../../protocol/credential.ts'
import { fail, ok, type Result } from '../../protocol/result.ts'
import { anyCovers, narrowScopes } from '../../protocol/scope.ts'
import type { Queryable } from '../db/database.ts'
import { type LifetimeWish, type PolicyViolation, resolveExpiry } from '../policy/creation.ts'
import { maxActiveTokens } from '../policy/policy.ts'
import { findPolicies } from '../policy/store.ts'
import type { CredentialHasher } from './hash.ts'
import { findMembership, lockOwner } from './owner-store.ts'
import type { Permission, Role } from './standing.ts'
import { type Issuer, insertCredential, listLive } from './store.ts'

export interface IssueRequest {
  readonly ownerId: string
  readonly organizationId: string
  readonly name: string
  readonly lifetime: LifetimeWish
  readonly permissions: readonly Permission[] | null
  readonly allowedCidrs: readonly string[] | null
  /** Null when the owner makes it. */
  readonly issuer: Issuer | null
}

export type IssueRefusal =
  | PolicyViolation
  | { readonly reason: 'owner_unknown' | 'owner_suspended' | 'token_name_taken' }
  | { readonly reason: 'token_limit_reached'; readonly limit: number }
  | { readonly reason: 'permission_not_held'; readonly audience: string; readonly scope: string | null }

/** A credential nobody has yet, and its hash. */
export interface FreshCredential {
  readonly value: PresentedCredential
  readonly secretHash: string
}

/** Makes a value and hashes it: before the transaction, which must not wait for that. */
export type MakeCredential = (kind: CredentialKind) => Promise<FreshCredential>

export function createMakeCredential(hasher: CredentialHasher): MakeCredential {
  return async (kind) => {
    const value = generateCredential(kind, randomBytes)
    return { value, secretHash: await hasher.hash(value) }
  }
}

/** The first permission that goes beyond what `role` holds; `null` when all are held. */
export function findExcess(
  role: Role,
  permissions: readonly Permission[],
): { audience: string; scope: string | null } | null {
  for (const { audience, scopes } of permissions) {
    const grant = role.grants.find((candidate) => candidate.audience === audience)
    if (!grant) return { audience, scope: null }
    const isHeld = (scope: string): boolean =>
      anyCovers(grant.scopes, scope) && narrowScopes([scope], grant.declaredScopes).length > 0
    const excess = scopes.find((scope) => !isHeld(scope))
    if (excess !== undefined) return { audience, scope: excess }
  }
  return null
}

/** Issues a PAT. Needs a transaction. Fails with what the owner's role, names, limit or policy stand against. */
export async function issuePat(
  transaction: Queryable,
  fresh: FreshCredential,
  request: IssueRequest,
  now: Date,
): Promise<Result<null, IssueRefusal>> {
  const expiresAt = await checkIssue(transaction, request, now)
  if (!expiresAt.ok) return expiresAt
  await insertCredential(transaction, {
    ...request,
    id: fresh.value.id,
    kind: 'personal',
    secretHash: fresh.secretHash,
    createdAt: now,
    expiresAt: expiresAt.value,
  })
  return ok(null)
}

async function checkIssue(
  transaction: Queryable,
  request: IssueRequest,
  now: Date,
): Promise<Result<Date | null, IssueRefusal>> {
  const { ownerId, organizationId } = request
  const status = await lockOwner(transaction, ownerId)
  if (status === undefined || status === 'deleted') return fail({ reason: 'owner_unknown' })
  if (status === 'suspended') return fail({ reason: 'owner_suspended' })
  const role = await findMembership(transaction, ownerId, organizationId)
  if (!role) return fail({ reason: 'owner_unknown' })
  const excess = findExcess(role, request.permissions ?? [])
  if (excess) return fail({ reason: 'permission_not_held', ...excess })
  const policies = await findPolicies(transaction, organizationId)
  const live = await listLive(transaction, { ownerId }, now)
  if (live.some(({ name }) => name === request.name)) return fail({ reason: 'token_name_taken' })
  const limit = maxActiveTokens(policies)
  const held = live.filter((credential) => credential.organizationId === organizationId).length
  if (held >= limit) return fail({ reason: 'token_limit_reached', limit })
  return resolveExpiry(request.lifetime, policies, role.name, now)
}
