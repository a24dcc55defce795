// Reuse of a rotated credential after its overlap: somebody still uses what its owner has replaced, so one of those who
// held the old value is not its owner. The living end of its family is flagged, or the whole family revoked.

import type { Database, Queryable } from '../db/database.ts'
import { type FamilyMember, listLiveFamily, markReuseDetected } from './family-store.ts'
import { holderOf, lockHolder } from './holder-store.ts'
import { type Standing, subjectOf } from './standing.ts'
import { markRevoked } from './store.ts'
import type { ReportReuse, VerificationContext } from './verify.ts'

/** The stable word owners and admins see on what was revoked or flagged for it. */
const REASON = 'predecessor_reused'

export type ReuseReaction = 'flag' | 'revoke_family'

/** What is recorded: who held the old value, of whose family, and what became of it. */
export interface ReuseEvent {
  readonly type: 'credential.reuse_detected' | 'credential.revoked'
  readonly reason: string
  readonly occurredAt: Date
  readonly organizationId: string
  readonly subject: string
  readonly credentialId: string
  readonly ip: string
  readonly userAgent: string | undefined
  readonly requestId: string
  readonly detail: { readonly predecessor: string }
}

type RecordEvents = (transaction: Queryable, events: readonly ReuseEvent[]) => Promise<void>
type Describe = (type: ReuseEvent['type'], credentialId: string) => ReuseEvent

/**
 * Builds the reaction to a credential that was superseded and presented with the right secret. What was noted before
 * costs one read, however often the old value comes. Rejects when the database is away.
 */
export function createReportReuse(db: Database, reaction: ReuseReaction, record: RecordEvents): ReportReuse {
  const react = reaction === 'flag' ? flagEnd : revokeAll
  return async (standing, context) => {
    const find = (queryable: Queryable) => listLiveFamily(queryable, standing.credential.id, context.now)
    if (!needsReaction(reaction, await find(db))) return
    await db.transaction().execute(async (transaction) => {
      // A rotation meanwhile would leave a successor that nobody has looked at.
      await lockHolder(transaction, holderOf(standing))
      const family = await find(transaction)
      if (!needsReaction(reaction, family)) return
      const events = await react(transaction, family, context.now, describe(standing, context))
      await record(transaction, events)
    })
  }
}

const needsReaction = (reaction: ReuseReaction, [end]: readonly FamilyMember[]): boolean =>
  end !== undefined && (reaction === 'revoke_family' || end.reuseDetectedAt === null)

const describe =
  (standing: Standing, { now, address, userAgent, requestId }: VerificationContext): Describe =>
  (type, credentialId) => ({
    type,
    reason: REASON,
    occurredAt: now,
    organizationId: standing.organization.id,
    subject: subjectOf({ owner: standing.owner, credential: { id: credentialId } }),
    credentialId,
    ip: address,
    userAgent,
    requestId,
    detail: { predecessor: standing.credential.id },
  })

async function flagEnd(
  transaction: Queryable,
  [end]: readonly FamilyMember[],
  now: Date,
  toEvent: Describe,
): Promise<ReuseEvent[]> {
  if (!end) return []
  await markReuseDetected(transaction, end.id, now)
  return [toEvent('credential.reuse_detected', end.id)]
}

async function revokeAll(
  transaction: Queryable,
  family: readonly FamilyMember[],
  now: Date,
  toEvent: Describe,
): Promise<ReuseEvent[]> {
  const events = family.slice(0, 1).map(({ id }) => toEvent('credential.reuse_detected', id))
  // The oldest first, as every other revocation of several does, so that two never wait for each other.
  for (const { id } of family.toReversed()) {
    const isRevoked = await markRevoked(transaction, id, { by: null, reason: REASON, at: now })
    if (isRevoked) events.push(toEvent('credential.revoked', id))
  }
  return events
}
