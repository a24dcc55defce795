// Revoking more credentials than one transaction should hold: batch by batch, each with its records, for as long as
// somebody waits. What is done stays done, and the same request again goes on where this one stopped.

import type { RevokedCredential, Selection } from '../credential/bulk-revocation-store.ts'
import type { Change, Origin } from '../ledger/change.ts'
import type { Caller } from './caller.ts'
import type { ApiDependencies } from './dependencies.ts'
import { type RecordedRevocation, revokeRecorded } from './revoke-recorded.ts'

const BATCH_SIZE = 1000
/** Proxies cut at 60 s; the batch under way when this is over still has to end. */
const MOST_MS = 50_000
/** What the clocks of two instances may differ by. */
const CLOCK_SKEW_MS = 60_000

/** What to revoke: of whom, and created before when; null for whenever. */
interface BulkWish extends Pick<Selection, 'organizationId' | 'ownerId'> {
  readonly createdBefore: Date | null
  /** Whether the caller's own credential lives on. */
  readonly sparesOwn: boolean
}

interface BulkCall {
  readonly caller: Caller
  readonly now: Date
  readonly origin: Origin
  readonly isAbandoned: () => boolean
}

export interface BulkResult {
  readonly revoked: number
  /** Whether nothing was left over. */
  readonly isComplete: boolean
  readonly createdBefore: Date
}

interface Batch {
  readonly revoked: number
  /** Where the next one begins; null after the last. */
  readonly next: RevokedCredential | null
}

/**
 * Revokes what is wished for and was created before the request, so that it ends. The caller's own credential comes
 * last: until all is done, it can ask again.
 */
export async function revokeInBatches(
  call: BulkCall,
  { createdBefore, sparesOwn, ...scope }: BulkWish,
  { change, clock }: Pick<ApiDependencies, 'change' | 'clock'>,
): Promise<BulkResult> {
  const { caller, now, origin, isAbandoned } = call
  const until = createdBefore && createdBefore < now ? createdBefore : now
  const plan = {
    scope: { ...scope, createdBefore: until },
    ownId: caller.standing.credential.id,
    sparesOwn,
    // Below an instant that was asked for, what is not clearly from after the request is spared.
    bornSince: until < now ? now : new Date(now.getTime() - CLOCK_SKEW_MS),
  }
  const revokeNext = (after: RevokedCredential | null): Promise<Batch> => {
    const at = clock()
    const revocation = { by: caller.subject, reason: 'bulk_revoked', at }
    return change({ ...origin, at }, (changing) => revokeBatch(changing, plan, after, revocation))
  }
  const mayGoOn = (): boolean => !isAbandoned() && clock().getTime() - now.getTime() < MOST_MS
  let batch = await revokeNext(null)
  let { revoked } = batch
  while (batch.next && mayGoOn()) {
    batch = await revokeNext(batch.next)
    revoked += batch.revoked
  }
  return { revoked, isComplete: batch.next === null, createdBefore: until }
}

interface Plan {
  readonly scope: Selection
  /** The caller's own credential. */
  readonly ownId: string
  readonly sparesOwn: boolean
  /** Successors go with what they succeed if they were created since then: older ones are selected or spared. */
  readonly bornSince: Date
}

async function revokeBatch(
  change: Change,
  plan: Plan,
  after: RevokedCredential | null,
  revocation: RecordedRevocation,
): Promise<Batch> {
  const { scope, ownId, sparesOwn } = plan
  const others = await revokeRecorded(change, { ...scope, except: ownId, after }, revocation, BATCH_SIZE)
  const next = others.length === BATCH_SIZE ? (others.at(-1) ?? null) : null
  const ends = next === null && !sparesOwn
  const own = ends ? await revokeRecorded(change, { ...scope, ids: [ownId] }, revocation, 1) : []
  const successors = await revokeSuccessors(change, plan, [...others, ...own], revocation)
  return { revoked: others.length + own.length + successors, next }
}

/** Else a credential that rotates itself just before its batch would live on in a successor nobody selected. */
async function revokeSuccessors(
  change: Change,
  plan: Plan,
  revoked: readonly RevokedCredential[],
  revocation: RecordedRevocation,
): Promise<number> {
  if (revoked.length === 0) return 0
  const selection = {
    replaces: revoked.map(({ id }) => id),
    createdSince: plan.bornSince,
    except: plan.ownId,
  }
  const successors = await revokeRecorded(change, selection, revocation, revoked.length)
  return successors.length + (await revokeSuccessors(change, plan, successors, revocation))
}
