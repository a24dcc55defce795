// "Why was this refused?": an exchange decided by the very code that decides the real one, with its reasoning told
// step by step. Issues nothing and writes nothing; the reasoning only words what the decision is made of.

import { redactCredentials } from '../../protocol/credential.ts'
import { fail, ok, type Result } from '../../protocol/result.ts'
import type { Attempt, CheckedCredential, Trial } from './attempt.ts'
import type { Decision } from './decide.ts'
import { settleExchange } from './exchange.ts'
import type { Presenter, RefusedPresentation } from './present.ts'
import type { ExchangeRefusal, Refusal, RequestRefusal } from './refusal.ts'
import { STEPS, type Step, type StepName } from './step.ts'
import { tellReach } from './tell-reach.ts'
import { tellRefusal, tellRequestRefusal } from './tell-refusal.ts'
import { tellActor, tellClient, tellRequest, tellStanding } from './tell-standing.ts'

export interface Explanation {
  readonly result: Result<Decision, Refusal>
  readonly steps: readonly Step[]
}

/** Decides the attempt as an exchange would, and tells how; the last step is where it ended. */
export async function explainExchange(attempt: Attempt): Promise<Explanation> {
  const { result, steps } = await explain(attempt)
  // Anything may have been pasted into any parameter.
  return { result, steps: steps.map((step) => ({ ...step, detail: redactCredentials(step.detail) })) }
}

/** The order is that of the token endpoint: the request, the client, and then the exchange. */
async function explain({ wish, credential, actor, client, now }: Attempt): Promise<Explanation> {
  if (!wish.ok) return refuseRequest(wish.error)
  if (typeof credential === 'string')
    return refuseRequest({ reason: 'subject_token_refused', cause: credential })
  if (typeof actor === 'string') return refuseRequest({ reason: 'actor_token_refused', cause: actor })
  if (!client)
    return {
      result: fail({ reason: 'client_unknown' }),
      steps: [
        ...tellRequest(wish.value),
        { step: 'client', outcome: 'fail', detail: 'No client has this client_id' },
      ],
    }
  return explainTrial({ wish: wish.value, credential, actor, client, now })
}

const refuseRequest = (refusal: RequestRefusal): Explanation => ({
  result: fail(refusal),
  steps: [{ step: 'request', outcome: 'fail', detail: tellRequestRefusal(refusal) }],
})

async function explainTrial(trial: Trial): Promise<Explanation> {
  const { wish, credential, actor, client, now } = trial
  const parties = {
    subject: async () => toPresenter(credential),
    actor: actor ? async () => toPresenter(actor) : null,
  }
  const { result } = await settleExchange(wish, client, parties, now)
  const told = [
    ...tellRequest(wish),
    ...tellClient(client),
    ...tellStanding(credential),
    tellActor(actor),
    ...tellReach(trial),
  ]
  return { result, steps: result.ok ? told : endAtRefusal(told, result.error, trial) }
}

const toPresenter = ({ verified, token }: CheckedCredential): Result<Presenter, RefusedPresentation> =>
  verified.ok ? ok({ standing: verified.value, token }) : verified

/** The steps before the refusal, what there is to know of its own, and the refusal itself. */
function endAtRefusal(told: readonly Step[], refusal: ExchangeRefusal, trial: Trial): Step[] {
  const step = stepOf(refusal, trial.credential)
  const end = STEPS.indexOf(step)
  return [
    ...told.filter((one) => STEPS.indexOf(one.step) < end),
    ...told.filter((one) => one.step === step && one.outcome === 'info'),
    { step, outcome: 'fail', detail: tellRefusal(refusal, trial) },
  ]
}

function stepOf(refusal: ExchangeRefusal, { verified }: CheckedCredential): StepName {
  switch (refusal.reason) {
    case 'client_not_allowed':
      return 'client'
    case 'subject_token_refused':
      // A credential that passed every check can only be too near its end.
      return verified.ok && ENDS.has(refusal.cause) ? 'expiry' : SUBJECT_STEPS[refusal.cause]
    case 'actor_token_refused':
      return 'actor'
    case 'proof_required':
      return 'proof'
    case 'audience_ambiguous':
    case 'audience_not_permitted':
    case 'audiences_incompatible':
      return 'audience'
    case 'scope_exceeds':
    case 'scopes_differ':
    case 'details_refused':
      return 'scope'
  }
}

const ENDS: ReadonlySet<string> = new Set([
  'token_invalid',
  'credential_expired',
  'credential_superseded',
  'blocked_by_policy',
])

type SubjectCause = Extract<ExchangeRefusal, { reason: 'subject_token_refused' }>['cause']

const SUBJECT_STEPS: Readonly<Record<SubjectCause, StepName>> = {
  token_invalid: 'credential',
  token_unproven: 'credential',
  token_revoked: 'credential',
  exchanged_too_often: 'credential',
  credential_unknown: 'credential',
  secret_mismatch: 'credential',
  credential_revoked: 'credential',
  credential_superseded: 'credential',
  credential_expired: 'credential',
  organization_deleted: 'organization',
  owner_deleted: 'owner',
  owner_suspended: 'owner',
  membership_missing: 'owner',
  role_missing: 'role',
  blocked_by_policy: 'policy',
  address_not_allowed: 'address',
}
