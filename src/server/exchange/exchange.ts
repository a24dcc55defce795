// The product on one screen: request → standing → decision, or the refusal that stopped it.

import { fail, type Result } from '../../protocol/result.ts'
import { findBlockingRule, type ToldBlock, toBlockJson } from '../credential/blocking-rule.ts'
import { type Standing, subjectOf } from '../credential/standing.ts'
import type { VerificationContext } from '../credential/verify.ts'
import type { ExchangeClient } from './client.ts'
import { type Decision, decide } from './decide.ts'
import { type DelegationRefusal, delegate } from './delegation.ts'
import { isProven } from './possession.ts'
import type { CheckPresented, PresentationRefusal } from './present.ts'
import type { ExchangeRefusal } from './refusal.ts'
import type { ExchangeRequest, ExchangeWish } from './request.ts'

/** What whoever asks for exchanges may fail at; asked before an exchange, which knows nothing of it. */
export type { AttemptLimits } from '../credential/attempt-limits.ts'

/** Whose credential it was: for the audit record, also of a refusal. */
export interface Holder {
  readonly subject: string
  readonly organizationId: string
  readonly credentialId: string
  /** When the credential was last used before this. */
  readonly lastUsedAt: Date | null
  /** The rule for which it is refused, for the record; absent where policy is not why. */
  readonly blockedBy?: ToldBlock
}

export interface ExchangeOutcome {
  readonly result: Result<Decision, ExchangeRefusal>
  /** Undefined as long as no credential was found. */
  readonly holder: Holder | undefined
  /** Whose credential the actor's is; undefined without one, and as long as it was not found. */
  readonly actor: Holder | undefined
}

/** Decides a token exchange. Issues nothing and writes nothing; throws only when the database is away. */
export type Exchange = (
  request: ExchangeRequest,
  client: ExchangeClient,
  context: VerificationContext,
) => Promise<ExchangeOutcome>

export function createExchange(check: CheckPresented): Exchange {
  return ({ subjectToken, actorToken, ...wish }, client, context) => {
    const subject = () => check(subjectToken, context)
    const actor = actorToken && (() => check(actorToken, context))
    return settleExchange(wish, client, { subject, actor }, context.now)
  }
}

/** The checks of whoever presents themselves. */
export interface Parties {
  readonly subject: () => ReturnType<CheckPresented>
  /** Null: nobody is to act for the subject. */
  readonly actor: (() => ReturnType<CheckPresented>) | null
}

/** The order of an exchange: client, subject, actor, decision. What stops it first is the outcome. */
export async function settleExchange(
  wish: ExchangeWish,
  client: ExchangeClient,
  parties: Parties,
  now: Date,
): Promise<ExchangeOutcome> {
  const nobody = { holder: undefined, actor: undefined }
  if (!client.mayExchange) return { result: fail({ reason: 'client_not_allowed' }), ...nobody }
  const subject = await parties.subject()
  if (!subject.ok) {
    const { refusal, standing } = subject.error
    const result = fail({ reason: 'subject_token_refused', cause: refusal.reason } as const)
    return { ...nobody, result, holder: standing && refusedOf(standing, now) }
  }
  const { standing } = subject.value
  const told = { holder: holderOf(standing), actor: undefined }
  if (!parties.actor) return { result: decide(wish, subject.value, client, now), ...told }
  const acting = await parties.actor()
  if (!acting.ok) {
    const { refusal, standing: ofActor } = acting.error
    return { result: refuseActor(refusal), ...told, actor: ofActor && refusedOf(ofActor, now) }
  }
  const known = { ...told, actor: holderOf(acting.value.standing) }
  if (!isProven(wish, acting.value.token))
    return { result: refuseActor({ reason: 'token_unproven' }), ...known }
  const actor = delegate(subject.value, acting.value, client)
  const result = actor.ok ? decide(wish, subject.value, client, now, actor.value) : refuseActor(actor.error)
  return { result, ...known }
}

const refuseActor = ({ reason }: PresentationRefusal | DelegationRefusal | Unproven) =>
  fail({ reason: 'actor_token_refused', cause: reason } as const)

type Unproven = { readonly reason: 'token_unproven' }

const holderOf = (standing: Standing): Holder => ({
  subject: subjectOf(standing),
  organizationId: standing.organization.id,
  credentialId: standing.credential.id,
  lastUsedAt: standing.credential.lastUsedAt,
})

/** Policies change: which of them it was is known now, and looked for later. */
function refusedOf(standing: Standing, now: Date): Holder {
  const block = findBlockingRule(standing, now)
  return { ...holderOf(standing), ...(block ? { blockedBy: toBlockJson(block) } : {}) }
}
