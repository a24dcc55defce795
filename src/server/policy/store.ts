// The rows of `expiry_policies`, as policies.

import type { Selectable } from 'kysely'
import type { Queryable } from '../db/database.ts'
import { lockUntilEnd } from '../db/lock.ts'
import type { Tables } from '../db/tables.ts'
import type { ExpiryPolicy, Policies } from './policy.ts'

type PolicyRow = Selectable<Tables['expiry_policies']>

/** A policy row as Postgres' `to_jsonb` gives it: instants are text. */
export type PolicyJson = Omit<PolicyRow, 'applies_since'> & { applies_since: string }

export const POLICY_COLUMNS = [
  'organization_id',
  'max_lifetime_seconds',
  'default_lifetime_seconds',
  'idle_timeout_seconds',
  'access_token_max_ttl_seconds',
  'max_active_tokens',
  'applies_to',
  'exempt_roles',
  'applies_since',
] as const

export function toPolicy(row: PolicyRow | PolicyJson): ExpiryPolicy {
  return {
    maxLifetimeSeconds: row.max_lifetime_seconds,
    defaultLifetimeSeconds: row.default_lifetime_seconds,
    idleTimeoutSeconds: row.idle_timeout_seconds,
    accessTokenMaxTtlSeconds: row.access_token_max_ttl_seconds,
    maxActiveTokens: row.max_active_tokens,
    appliesTo: row.applies_to,
    exemptRoles: row.exempt_roles,
    appliesSince: new Date(row.applies_since),
  }
}

export const toPolicyRow = (policy: ExpiryPolicy) => ({
  max_lifetime_seconds: policy.maxLifetimeSeconds,
  default_lifetime_seconds: policy.defaultLifetimeSeconds,
  idle_timeout_seconds: policy.idleTimeoutSeconds,
  access_token_max_ttl_seconds: policy.accessTokenMaxTtlSeconds,
  max_active_tokens: policy.maxActiveTokens,
  applies_to: policy.appliesTo,
  exempt_roles: [...policy.exemptRoles],
  applies_since: policy.appliesSince,
})

/** The policies over an organization; `null` asks for the platform's alone. */
export async function findPolicies(db: Queryable, organizationId: string | null): Promise<Policies> {
  const rows = await db
    .selectFrom('expiry_policies')
    .select(POLICY_COLUMNS)
    .where((where) =>
      where.or([
        where('organization_id', 'is', null),
        ...(organizationId === null ? [] : [where('organization_id', '=', organizationId)]),
      ]),
    )
    .execute()
  const find = (id: string | null): ExpiryPolicy | null => {
    const row = rows.find((candidate) => candidate.organization_id === id)
    return row ? toPolicy(row) : null
  }
  return { platform: find(null), organization: organizationId === null ? null : find(organizationId) }
}

/**
 * Has changes of policies, of whichever level, wait for each other until the transaction ends: what one of them counted
 * is still so when it is saved. Called with the organization locked, if there is one.
 */
export const lockPolicies = (transaction: Queryable): Promise<void> =>
  lockUntilEnd(transaction, 'patmint.policies')

/** Replaces the policy of an organization, or of the platform for `null`. */
export async function savePolicy(
  transaction: Queryable,
  organizationId: string | null,
  policy: ExpiryPolicy,
): Promise<void> {
  const values = toPolicyRow(policy)
  await transaction
    .insertInto('expiry_policies')
    .values({ organization_id: organizationId, ...values })
    .onConflict((conflict) => conflict.column('organization_id').doUpdateSet(values))
    .execute()
}
