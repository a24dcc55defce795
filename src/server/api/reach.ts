// What a caller's rights reach: every organization, or the one their credential is bound to. All else does not exist.

import { findOrganization, lockOrganization, type Organization } from '../directory/organization-store.ts'
import { hasPlatformAdmin, lockPlatformAdmins } from '../directory/platform-admin-store.ts'
import { Problem } from '../http/problem.ts'
import type { Reader, Transaction } from '../ledger/change.ts'
import type { Caller } from './caller.ts'

type Reach = Pick<Caller, 'isPlatformWide' | 'standing'>

const reaches = (caller: Reach, slug: string): boolean =>
  caller.isPlatformWide || caller.standing.organization.slug === slug

/** The organization of this slug; 404 when it is deleted, unknown or beyond the caller's reach. */
export async function requireOrganization(db: Reader, caller: Reach, slug: string): Promise<Organization> {
  const organization = reaches(caller, slug) ? await findOrganization(db, slug) : undefined
  if (!organization) throw new Problem('not_found')
  return organization
}

/**
 * The same, for whoever changes it, its roles or its members: such changes wait for each other, so that what one of
 * them has checked is still so when it writes.
 */
export async function holdOrganization(
  transaction: Transaction,
  caller: Reach,
  slug: string,
): Promise<Organization> {
  const organization = reaches(caller, slug) ? await lockOrganization(transaction, slug) : undefined
  if (!organization) throw new Problem('not_found')
  return organization
}

/** 403 unless the caller's rights reach every organization, which changing `what` takes. */
export function requirePlatformWide(caller: Reach, what: string): void {
  if (!caller.isPlatformWide) throw new Problem('forbidden', `${what} takes rights in every organization`)
}

/**
 * Runs a change of something that platform admins depend on; 409 when it took the last one away. All such changes wait
 * for each other here, so call it with every row locked that decides whether this is one: the memberships concerned,
 * and the user or the organization. Where there was none to begin with, nothing is taken away.
 */
export async function keepPlatformAdmin(
  transaction: Transaction,
  change: () => Promise<void>,
): Promise<void> {
  await lockPlatformAdmins(transaction)
  const hadOne = await hasPlatformAdmin(transaction)
  await change()
  if (hadOne && !(await hasPlatformAdmin(transaction))) throw new Problem('last_platform_admin')
}

/** The same where the roles concerned say whether the change is one: those that reach every organization. */
export async function keepPlatformAdminAmong(
  transaction: Transaction,
  roles: readonly { readonly reach: 'platform' | 'organization' | null }[],
  change: () => Promise<void>,
): Promise<void> {
  if (roles.some(({ reach }) => reach === 'platform')) await keepPlatformAdmin(transaction, change)
  else await change()
}
