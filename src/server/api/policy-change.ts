// A change of an expiry policy, made by hand or by restoring a version: never over somebody else's, and never one that
// stops more of what is in use than whoever makes it has confirmed.

import { isDeepStrictEqual } from 'node:util'
import { Problem } from '../http/problem.ts'
import type { Origin, Reader } from '../ledger/change.ts'
import { countImpact, type Impact } from '../policy/impact-store.ts'
import type { ExpiryPolicy, Policies } from '../policy/policy.ts'
import { findPolicies } from '../policy/store.ts'
import { findLastNumber, makeVersion } from '../policy/version-store.ts'
import type { Caller } from './caller.ts'
import type { ApiDependencies } from './dependencies.ts'
import { holdPlace, type Whose } from './policy-place.ts'
import { describeReplacement } from './policy-record.ts'
import { type PolicyView, versionOfPolicy, viewContent, viewPolicy } from './policy-view.ts'
import { requireVersion } from './version.ts'

export interface PolicyChange {
  readonly caller: Caller
  /** The path's. */
  readonly params: Readonly<Record<string, unknown>>
  readonly ifMatch: string | null
  /** How many credentials in use may stop. */
  readonly confirm: number | undefined
  readonly origin: Origin
  /** The version that is restored; null: none. */
  readonly restored: number | null
  /** The policy to have, in place of `before`. */
  readonly choose: (reader: Reader, whose: Whose, before: ExpiryPolicy | null) => Promise<ExpiryPolicy>
}

/** The policy as it is after the change. 412 and 409 as the contract says; what changes nothing makes no version. */
export const changePolicy = (
  { caller, params, ifMatch, confirm, origin, restored, choose }: PolicyChange,
  { change }: Pick<ApiDependencies, 'change'>,
): Promise<PolicyView> =>
  change(origin, async ({ transaction, record }) => {
    const whose = await holdPlace(transaction, caller, params)
    const { level, organizationId } = whose
    const policies = await findPolicies(transaction, organizationId)
    const present = await showPolicy(transaction, whose, policies)
    requireVersion(ifMatch, versionOfPolicy(present))
    const before = policies[level]
    const policy = await choose(transaction, whose, before)
    if (before && isDeepStrictEqual(viewContent(policy), viewContent(before))) return present
    const impact = await countImpact(transaction, { organizationId, policy }, origin.at)
    requireConfirmation(impact, confirm)
    const version = await makeVersion(transaction, organizationId, {
      policy,
      madeAt: origin.at,
      madeBy: origin.actor,
      stopped: impact.now,
      stoppedInUse: impact.inUse,
    })
    const credentialId = caller.standing.credential.id
    record(describeReplacement({ organizationId, before, version }, { credentialId, restored }))
    return viewPolicy(whose.slug, { ...policies, [level]: policy }, version.number)
  })

/** A level's policy as it is. */
export const showPolicy = async (db: Reader, whose: Whose, policies: Policies): Promise<PolicyView> =>
  viewPolicy(whose.slug, policies, await findLastNumber(db, whose.organizationId))

function requireConfirmation({ inUse: count }: Impact, confirm: number | undefined): void {
  if (count === 0 || confirm === count) return
  throw new Problem(
    'confirmation_required',
    `It would stop ${count} used in the last 30 days, now or within 24 hours`,
    { count },
  )
}
