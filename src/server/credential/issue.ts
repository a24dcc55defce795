// Issuing a PAT or an API key: checked and written under a lock on whoever will hold it, because the limit on active
// credentials would otherwise race.

import { randomBytes } from 'node:crypto'
import {
  type CredentialKind,
  generateCredential,
  type PresentedCredential,
} from '../../protocol/credential.ts'
import { fail, ok, type Result } from '../../protocol/result.ts'
import type { Queryable } from '../db/database.ts'
import { maxActiveTokens } from '../policy/policy.ts'
import type { CredentialHasher } from './hash.ts'
import { findMembership, lockOwner } from './owner-store.ts'
import type { Role } from './standing.ts'
import { type Issuer, insertCredential } from './store.ts'
import { checkTerms, type Terms, type TermsRefusal, type TermsRole } from './terms.ts'

/** How many active API keys an organization may have. */
export const MAX_ACTIVE_KEYS = 100

export interface PatRequest extends Terms {
  readonly ownerId: string
  /** Null when the owner makes it. */
  readonly issuer: PatIssuer | null
}

export interface PatIssuer extends Issuer {
  /** The first right that a PAT of an owner with this role would have beyond what the issuer may hand on; or null. */
  readonly findBeyond: (role: Role) => string | null
}

export interface KeyRequest extends Terms {
  readonly role: TermsRole & { readonly id: string }
  readonly issuer: Issuer
}

export type IssueRefusal =
  | TermsRefusal
  | { readonly reason: 'owner_unknown' | 'owner_suspended' }
  | { readonly reason: 'beyond_issuer'; readonly right: string }

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

/**
 * Issues a PAT. Needs a transaction. Fails with what the owner's role, the issuer's rights, names, limit or policy stand
 * against.
 */
export async function issuePat(
  transaction: Queryable,
  fresh: FreshCredential,
  request: PatRequest,
  now: Date,
): Promise<Result<null, IssueRefusal>> {
  const { ownerId, organizationId } = request
  const status = await lockOwner(transaction, ownerId)
  if (status === undefined || status === 'deleted') return fail({ reason: 'owner_unknown' })
  if (status === 'suspended') return fail({ reason: 'owner_suspended' })
  const role = await findMembership(transaction, ownerId, organizationId)
  if (!role) return fail({ reason: 'owner_unknown' })
  const right = request.issuer?.findBeyond(role) ?? null
  if (right !== null) return fail({ reason: 'beyond_issuer', right })
  const expiresAt = await checkTerms(transaction, { ownerId }, role, request, maxActiveTokens, now)
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

/**
 * Issues an API key. Needs a transaction that holds the organization, whose keys are counted and whose role was read.
 * Fails with what that role, the other keys or policy stand against.
 */
export async function issueKey(
  transaction: Queryable,
  fresh: FreshCredential,
  request: KeyRequest,
  now: Date,
): Promise<Result<null, TermsRefusal>> {
  const { organizationId, role } = request
  const holder = { keysOf: organizationId }
  const expiresAt = await checkTerms(transaction, holder, role, request, () => MAX_ACTIVE_KEYS, now)
  if (!expiresAt.ok) return expiresAt
  await insertCredential(transaction, {
    ...request,
    id: fresh.value.id,
    kind: 'organization',
    roleId: role.id,
    secretHash: fresh.secretHash,
    createdAt: now,
    expiresAt: expiresAt.value,
  })
  return ok(null)
}
