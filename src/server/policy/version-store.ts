// The rows of `expiry_policy_versions`: what policies said, one version after the other. Only ever added to.

import type { Queryable } from '../db/database.ts'
import type { ExpiryPolicy } from './policy.ts'
import { POLICY_COLUMNS, savePolicy, toPolicy, toPolicyRow } from './store.ts'

export interface PolicyVersion {
  /** From 1; the highest is in force. */
  readonly number: number
  readonly policy: ExpiryPolicy
  readonly madeAt: Date
  /** Subject of whoever made it; null when nobody in particular did. */
  readonly madeBy: string | null
  /** What it stopped there and then; null where nobody counted. */
  readonly stopped: number | null
  readonly stoppedInUse: number | null
}

/** One policy in place of another. */
export interface PolicyReplaced {
  /** Null: of the platform. */
  readonly organizationId: string | null
  readonly before: ExpiryPolicy | null
  readonly version: PolicyVersion
}

const COLUMNS = [
  ...POLICY_COLUMNS,
  'number',
  'made_at as madeAt',
  'made_by as madeBy',
  'stopped',
  'stopped_in_use as stoppedInUse',
] as const

const selectVersions = (db: Queryable, organizationId: string | null) =>
  db
    .selectFrom('expiry_policy_versions')
    .select(COLUMNS)
    .where('organization_id', organizationId === null ? 'is' : '=', organizationId)
    .orderBy('number', 'desc')

type VersionRow = Awaited<ReturnType<ReturnType<typeof selectVersions>['execute']>>[number]

const toVersion = ({
  number,
  madeAt,
  madeBy,
  stopped,
  stoppedInUse,
  ...policy
}: VersionRow): PolicyVersion => ({
  number,
  policy: toPolicy(policy),
  madeAt,
  madeBy,
  stopped,
  stoppedInUse,
})

/** Versions of an organization's policy, or of the platform's for `null`; newest first, those before number `before`. */
export async function listVersions(
  db: Queryable,
  organizationId: string | null,
  limit: number,
  before: number | null,
): Promise<PolicyVersion[]> {
  const rows = await selectVersions(db, organizationId)
    .$if(before !== null, (query) => query.where('number', '<', before ?? 0))
    .limit(limit)
    .execute()
  return rows.map(toVersion)
}

export async function findVersion(
  db: Queryable,
  organizationId: string | null,
  number: number,
): Promise<PolicyVersion | undefined> {
  const row = await selectVersions(db, organizationId).where('number', '=', number).executeTakeFirst()
  return row && toVersion(row)
}

/** The number of the version in force; 0 before there is any. */
export async function findLastNumber(db: Queryable, organizationId: string | null): Promise<number> {
  const [last] = await listVersions(db, organizationId, 1, null)
  return last?.number ?? 0
}

/** Puts a policy in force as the next version. Needs the lock of `lockPolicies`. */
export async function makeVersion(
  transaction: Queryable,
  organizationId: string | null,
  made: Omit<PolicyVersion, 'number'>,
): Promise<PolicyVersion> {
  const version = { ...made, number: (await findLastNumber(transaction, organizationId)) + 1 }
  await savePolicy(transaction, organizationId, version.policy)
  await transaction
    .insertInto('expiry_policy_versions')
    .values({
      organization_id: organizationId,
      ...toPolicyRow(version.policy),
      number: version.number,
      made_at: version.madeAt,
      made_by: version.madeBy,
      stopped: version.stopped,
      stopped_in_use: version.stoppedInUse,
    })
    .execute()
  return version
}
