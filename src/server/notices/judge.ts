// Whether a notice is still true when its turn comes, which may be days after it was made: what is not is never sent.

import { displayPrefix } from '../../protocol/credential.ts'
import { expiryOf, findProblem, type Standing } from '../credential/standing.ts'
import { dayOf, type Ending } from './due.ts'
import type { Message, Person } from './message.ts'
import type { Notice } from './notice-store.ts'

/** Why a notice is cancelled. */
export type Cancellation =
  | 'credential_stopped'
  | 'credential_rotated'
  | 'end_moved'
  | 'nearer_notice'
  | 'nobody_to_tell'
  | 'receiver_removed'

export interface Circumstances {
  readonly standing: Standing | undefined
  /** Null for an API key, and when the owner is not active. */
  readonly owner: Person | null
  readonly hasNearer: boolean
}

/** The message as it is true at `now`, or why there is none. */
export function judgeNotice(
  notice: Notice,
  { standing, owner, hasNearer }: Circumstances,
  now: Date,
): Message | Cancellation {
  if (!standing || findProblem(standing, now)) return 'credential_stopped'
  if (standing.credential.overlapUntil) return 'credential_rotated'
  const ending = findEnding(standing)
  if (!ending || dayOf(ending.at) !== notice.endsOn) return 'end_moved'
  if (hasNearer) return 'nearer_notice'
  const { id, kind, name } = standing.credential
  return {
    id: notice.id,
    createdAt: notice.createdAt,
    days: notice.days,
    endsAt: ending.at,
    cause: ending.cause,
    credential: { id, kind, name, prefix: displayPrefix(kind, id) },
    organization: standing.organization.slug,
    owner,
  }
}

function findEnding(standing: Standing): Pick<Ending, 'at' | 'cause'> | null {
  const expiry = expiryOf(standing)
  return expiry && expiry.cause !== 'overlap_until' ? { at: expiry.at, cause: expiry.cause } : null
}
