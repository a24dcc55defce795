// What an exchange comes to, whichever way its request came in: exchange → mint + ledger → response.

import type { Proof } from '../../dpop/proof.ts'
import { fail, ok, type Result } from '../../protocol/result.ts'
import { uuidV7 } from '../../protocol/uuid.ts'
import type { ProofChecks } from '../dpop/proof-checks.ts'
import type { ExchangeClient } from '../exchange/client.ts'
import type { Decision } from '../exchange/decide.ts'
import type { AttemptLimits, Exchange, ExchangeOutcome, Holder } from '../exchange/exchange.ts'
import { causeOf, type Refusal } from '../exchange/refusal.ts'
import { type ExchangeRequest, listAsked } from '../exchange/request.ts'
import type { AuditEvent } from '../ledger/event.ts'
import type { IsAwaited, Ledger } from '../ledger/ledger.ts'
import type { CredentialUse } from '../ledger/store.ts'
import type { KeyRing } from '../signing/key-ring.ts'
import { composeClaims } from './mint.ts'

/** An exchange that was admitted, and by whom. */
export interface Asked {
  readonly request: ExchangeRequest
  readonly client: ExchangeClient
  /** The proof that came with it, verified and not yet spent. */
  readonly proof: Proof | undefined
  /** The client, if it authenticated itself; null for a public one, whose id anybody may give. */
  readonly authenticatedId: string | null
  readonly address: string
  readonly userAgent: string | undefined
  readonly requestId: string
  /** Whether the request is still before its deadline. */
  readonly isAwaited: IsAwaited
}

export interface AnswerDependencies {
  readonly issuer: string
  readonly exchange: Exchange
  readonly spendProof: ProofChecks['spendProof']
  /** A proof that is used again counts as a failed attempt. */
  readonly noteFailure: AttemptLimits['noteFailure']
  readonly signAccessToken: KeyRing['signAccessToken']
  readonly ledger: Pick<Ledger, 'record' | 'touch'>
  readonly clock: () => Date
}

type Outcome = Omit<ExchangeOutcome, 'result'> & { readonly result: Result<Decision, Refusal> }

const REPLAYED: Outcome = {
  result: fail({ reason: 'proof_refused', cause: 'proof_replayed' }),
  holder: undefined,
  actor: undefined,
}

/** A token that may leave: its record is on disk. */
export interface Granted {
  readonly accessToken: string
  readonly decision: Decision
}

/** A token or a refusal, either of them on record. */
export type AnswerExchange = (asked: Asked) => Promise<Result<Granted, Refusal>>

export function createAnswerExchange(dependencies: AnswerDependencies): AnswerExchange {
  const { issuer, exchange, spendProof, noteFailure, signAccessToken, ledger, clock } = dependencies
  return async (asked) => {
    const { request, client, proof, authenticatedId, address, userAgent, requestId, isAwaited } = asked
    const now = clock()
    const context = { now, address, clientId: authenticatedId, userAgent, requestId }
    const proven = proof ? { ...request, proofKey: proof.keyThumbprint } : request
    // A proof counts once, whatever the exchange comes to. Seen before, it is worth a record, and nothing is judged.
    const isReplay = proof !== undefined && !(await spendProof(proof))
    if (isReplay) await noteFailure({ address, clientId: authenticatedId, presented: null })
    const outcome = isReplay ? REPLAYED : await exchange(proven, client, context)
    const event = describeAttempt(asked, outcome, now)
    if (!outcome.result.ok) {
      await ledger.record(event, null, isAwaited)
      return outcome.result
    }
    const decision = outcome.result.value
    const tokenId = uuidV7(now)
    const [use, ...others] = listUses(asked, outcome, now)
    // The response waits for all: a token that left has its record on disk.
    const [accessToken] = await Promise.all([
      signAccessToken(decision.signingAlg, composeClaims(decision, issuer, tokenId, now), now),
      ledger.record({ ...event, tokenId }, use, isAwaited),
      ...others.map((other) => ledger.touch(other)),
    ])
    return ok({ accessToken, decision })
  }
}

/** The credentials that were presented themselves. An access token is no use of the one behind it. */
function listUses(
  { request: { subjectToken, actorToken }, address }: Asked,
  { holder, actor }: Outcome,
  now: Date,
): CredentialUse[] {
  const presented = [
    subjectToken.kind === 'jwt' ? undefined : holder,
    actorToken?.kind === 'jwt' ? undefined : actor,
  ]
  return presented.flatMap((used) =>
    used ? { credentialId: used.credentialId, lastUsedAt: used.lastUsedAt, usedAt: now, ip: address } : [],
  )
}

/** Whether it is the actor who was refused, whose cause is not the subject's. */
const isOfActor = (result: Outcome['result']): boolean =>
  !result.ok && result.error.reason === 'actor_token_refused'

/** What `reason` alone does not say: whose cause it is, and which rule of which policy. */
function describeRefused({ result, holder, actor }: Outcome): Pick<AuditEvent, 'detail'> {
  if (isOfActor(result))
    return { detail: { refused: 'actor_token', credential: actor?.credentialId, ...tellBlock(actor) } }
  return holder?.blockedBy ? { detail: tellBlock(holder) } : {}
}

const tellBlock = (refused: Holder | undefined) =>
  refused?.blockedBy ? { blocked_by: refused.blockedBy } : {}

function describeAttempt(asked: Asked, outcome: Outcome, now: Date): AuditEvent {
  const { result, holder, actor } = outcome
  const { request, client, address, userAgent, requestId } = asked
  const { subjectToken } = request
  return {
    type: result.ok ? 'exchange.granted' : 'exchange.refused',
    ...(result.ok ? {} : { reason: causeOf(result.error) }),
    occurredAt: now,
    subject: holder?.subject,
    organizationId: holder?.organizationId,
    credentialId: subjectToken.kind === 'jwt' ? holder?.credentialId : subjectToken.id,
    clientId: client.clientId,
    actor: actor?.subject ?? (result.ok ? result.value.act?.sub : undefined),
    ...describeRefused(outcome),
    audiences: result.ok ? result.value.audiences : request.audiences,
    scopes: result.ok ? result.value.scopes : (listAsked(request) ?? []),
    ip: address,
    userAgent,
    requestId,
  }
}
