// The product on one screen: request → standing → decision, or the refusal that stopped it.

import { fail, type Result } from '../../protocol/result.ts'
import { type Standing, subjectOf } from '../credential/standing.ts'
import type { VerificationContext, VerifyCredential } from '../credential/verify.ts'
import type { ExchangeClient } from './client.ts'
import { type Decision, decide } from './decide.ts'
import type { ExchangeRefusal } from './refusal.ts'
import type { ExchangeRequest, ExchangeWish } from './request.ts'

/** What whoever asks for exchanges may fail at; asked before an exchange, which knows nothing of it. */
export type { AttemptLimits } from '../credential/attempt-limits.ts'

/** Whose credential was presented: for the audit record, also of a refusal. */
export interface Holder {
  readonly subject: string
  readonly organizationId: string
  /** When the credential was last used before this. */
  readonly lastUsedAt: Date | null
}

export interface ExchangeOutcome {
  readonly result: Result<Decision, ExchangeRefusal>
  /** Undefined as long as no credential was found. */
  readonly holder: Holder | undefined
}

/** Decides a token exchange. Issues nothing and writes nothing; throws only when the database is away. */
export type Exchange = (
  request: ExchangeRequest,
  client: ExchangeClient,
  context: VerificationContext,
) => Promise<ExchangeOutcome>

export function createExchange(verifyCredential: VerifyCredential): Exchange {
  return (request, client, context) =>
    settleExchange(request, client, () => verifyCredential(request.subjectToken, context), context.now)
}

/** The order of an exchange: client, credential, decision. What stops it first is the outcome. */
export async function settleExchange(
  wish: ExchangeWish,
  client: ExchangeClient,
  verify: () => ReturnType<VerifyCredential>,
  now: Date,
): Promise<ExchangeOutcome> {
  if (!client.mayExchange) return { result: fail({ reason: 'client_not_allowed' }), holder: undefined }
  const verified = await verify()
  if (verified.ok)
    return { result: decide(wish, verified.value, client, now), holder: holderOf(verified.value) }
  const { refusal, standing } = verified.error
  const result = fail({ reason: 'subject_token_refused', cause: refusal.reason } as const)
  return { result, holder: standing && holderOf(standing) }
}

const holderOf = (standing: Standing): Holder => ({
  subject: subjectOf(standing),
  organizationId: standing.organization.id,
  lastUsedAt: standing.credential.lastUsedAt,
})
