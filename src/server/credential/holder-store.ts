// Whoever holds credentials: a user their PATs, an organization its API keys. Names and numbers are limited per holder,
// and families of credentials stay with one, so changes of either wait for each other on the holder's row.

import { sql } from 'kysely'
import type { Queryable } from '../db/database.ts'
import { lockOwner } from './owner-store.ts'
import type { Standing } from './standing.ts'

/** Whose credentials: a user's PATs in every organization, or an organization's API keys. */
export type Holder = { readonly ownerId: string } | { readonly keysOf: string }

/** Written out: the index of API keys is for who asks for them, not for a kind to be named later. */
const ofKeys = sql.lit('organization' as const)

export interface LiveCredential {
  readonly id: string
  readonly name: string
  readonly organizationId: string
}

/** What a deleted one had is as good as revoked: it never works again, and nobody could revoke it any more. */
const isOfLivingOrganization = sql<boolean>`not exists (
  select from organizations o where o.id = credentials.organization_id and o.deleted_at is not null)`

/** The query of `listLive`. */
export const selectLive = (db: Queryable, holder: Holder, now: Date) =>
  db
    .selectFrom('credentials')
    .select(['id', 'name', 'organization_id as organizationId', 'replaces'])
    .$if('ownerId' in holder, (query) =>
      query.where('owner_id', '=', 'ownerId' in holder ? holder.ownerId : null).where(isOfLivingOrganization),
    )
    .$if('keysOf' in holder, (query) =>
      query.where('organization_id', '=', 'keysOf' in holder ? holder.keysOf : '').where('kind', '=', ofKeys),
    )
    .where('revoked_at', 'is', null)
    .where((where) => where.or([where('overlap_until', 'is', null), where('overlap_until', '>', now)]))
    .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', now)]))

/**
 * What `holder` has in organizations that live, and is neither revoked nor expired nor superseded; but not what has a
 * successor among them, whose place it would take twice.
 */
export async function listLive(db: Queryable, holder: Holder, now: Date): Promise<LiveCredential[]> {
  const live = await selectLive(db, holder, now).execute()
  const replaced = new Set(live.map(({ replaces }) => replaces))
  return live.filter(({ id }) => !replaced.has(id))
}

export const holderOf = ({ owner, organization }: Standing): Holder =>
  owner ? { ownerId: owner.id } : { keysOf: organization.id }

/** Waits for whoever changes what `holder` has, and keeps others waiting until the transaction ends. */
export async function lockHolder(transaction: Queryable, holder: Holder): Promise<void> {
  if ('ownerId' in holder) await lockOwner(transaction, holder.ownerId)
  else
    await transaction
      .selectFrom('organizations')
      .select('id')
      .where('id', '=', holder.keysOf)
      .forNoKeyUpdate()
      .execute()
}
