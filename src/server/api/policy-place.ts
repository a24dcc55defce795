// The two places where a policy stands: the platform, whose policy takes rights in every organization, and each
// organization. What is done with a policy is the same in both, so each operation is defined once for both.

import { z } from 'zod'
import type { Organization } from '../directory/organization-store.ts'
import type { Reader, Transaction } from '../ledger/change.ts'
import type { PolicyLevel } from '../policy/policy.ts'
import { lockPolicies } from '../policy/store.ts'
import type { Caller } from './caller.ts'
import type { Operation } from './operation.ts'
import { holdOrganization, requireOrganization, requirePlatformWide } from './reach.ts'
import { slugParams } from './schema.ts'

/** A level, as a part of the API. */
export interface PolicyPlace {
  readonly level: PolicyLevel
  readonly path: '/policy' | '/organizations/{slug}/policy'
  /** Part of the names of its operations. */
  readonly noun: 'PlatformPolicy' | 'OrganizationPolicy'
  /** For people. */
  readonly owner: 'the platform' | 'an organization'
  /** What its paths name, with `more`; absent: nothing. */
  readonly params: (more?: z.ZodRawShape) => { params?: z.ZodObject }
}

const PLACES: readonly PolicyPlace[] = [
  {
    level: 'platform',
    path: '/policy',
    noun: 'PlatformPolicy',
    owner: 'the platform',
    params: (more) => (more ? { params: z.object(more) } : {}),
  },
  {
    level: 'organization',
    path: '/organizations/{slug}/policy',
    noun: 'OrganizationPolicy',
    owner: 'an organization',
    params: (more = {}) => ({ params: slugParams.extend(more) }),
  },
]

/** The same operations on both levels. */
export const onBothLevels = (define: (place: PolicyPlace) => readonly Operation[]): Operation[] =>
  PLACES.flatMap(define)

/** Whose policy the path names; id and slug are null for the platform's. */
export interface Whose {
  readonly level: PolicyLevel
  readonly organizationId: string | null
  readonly slug: string | null
}

const PLATFORM: Whose = { level: 'platform', organizationId: null, slug: null }

const toWhose = ({ id, slug }: Organization): Whose => ({
  level: 'organization',
  organizationId: id,
  slug,
})

type Params = Readonly<Record<string, unknown>>

/** Whose policy it is; 404 for an organization beyond the caller's reach, 403 for the platform without it. */
export async function requirePlace(db: Reader, caller: Caller, { slug }: Params): Promise<Whose> {
  if (typeof slug === 'string') return toWhose(await requireOrganization(db, caller, slug))
  requirePlatformWide(caller, 'The policy of the platform')
  return PLATFORM
}

/** The same for whoever changes it: until the transaction ends, no other policy changes. */
export async function holdPlace(transaction: Transaction, caller: Caller, { slug }: Params): Promise<Whose> {
  if (typeof slug !== 'string') requirePlatformWide(caller, 'The policy of the platform')
  const whose =
    typeof slug === 'string' ? toWhose(await holdOrganization(transaction, caller, slug)) : PLATFORM
  await lockPolicies(transaction)
  return whose
}
