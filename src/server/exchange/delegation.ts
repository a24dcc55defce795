// Delegation (RFC 8693 sections 1.1 and 4.1): who may act for a subject, and how long the chain of actors may be.

import type { Act } from '../../protocol/access-token.ts'
import { fail, ok, type Result } from '../../protocol/result.ts'
import { expiryOf, type PermittedActor, subjectOf } from '../credential/standing.ts'
import type { ExchangeClient } from './client.ts'
import type { Presenter } from './present.ts'

/** Actors one after the other, the present one among them. */
export const MAX_ACTORS = 4

/** Who acts from now on, with those who did before, and until when they can prove it; null for no end. */
export interface Actor {
  readonly act: Act
  readonly endsAt: Date | null
}

export interface DelegationRefusal {
  readonly reason: 'actor_not_permitted' | 'actor_delegated' | 'actors_too_many'
}

/** Makes `actor` the one who acts for `subject` at the wish of `client`, if the subject's credential permits both. */
export function delegate(
  subject: Presenter,
  actor: Presenter,
  client: ExchangeClient,
): Result<Actor, DelegationRefusal> {
  // Whoever holds that token is not who it names.
  if (actor.token?.act) return fail({ reason: 'actor_delegated' })
  const sub = subjectOf(actor.standing)
  const isMeant = (permitted: PermittedActor): boolean =>
    permitted.sub === sub && (permitted.client_id ?? client.clientId) === client.clientId
  if (!subject.standing.credential.mayAct?.some(isMeant)) return fail({ reason: 'actor_not_permitted' })
  const before = subject.token?.act
  if (countActors(before) >= MAX_ACTORS) return fail({ reason: 'actors_too_many' })
  return ok({ act: before ? { sub, act: before } : { sub }, endsAt: findEnd(actor) })
}

const countActors = (act: Act | undefined): number => (act ? 1 + countActors(act.act) : 0)

/** A token ends with its credential too. */
function findEnd({ standing, token }: Presenter): Date | null {
  const ends = [expiryOf(standing)?.at, token && new Date(token.exp * 1000)].filter((end) => end != null)
  const [first] = ends.sort((one, other) => one.getTime() - other.getTime())
  return first ?? null
}
