// "Why was this refused?": an exchange decided by the very code that decides the real one, with its reasoning told
// step by step. Issues nothing and writes nothing; the reasoning only words what the decision is made of.

import { redactCredentials } from '../../protocol/credential.ts'
import { fail, type Result } from '../../protocol/result.ts'
import type { Attempt, CheckedCredential } from './attempt.ts'
import type { Decision } from './decide.ts'
import { settleExchange } from './exchange.ts'
import type { Refusal } from './refusal.ts'
import { STEPS, type Step, type StepName } from './step.ts'
import { tellReach } from './tell-reach.ts'
import { tellRefusal } from './tell-refusal.ts'
import { tellClient, tellRequest, tellStanding } from './tell-standing.ts'

export interface Explanation {
  readonly result: Result<Decision, Refusal>
  readonly steps: readonly Step[]
}

/** Decides the attempt as an exchange would, and tells how; the last step is where it ended. */
export async function explainExchange(attempt: Attempt): Promise<Explanation> {
  const { wish, client, credential, now } = attempt
  const result = await settleAttempt(attempt)
  const told = [
    ...(wish.ok ? tellRequest(wish.value) : []),
    ...(client ? tellClient(client) : []),
    ...(credential ? tellStanding(credential) : []),
    ...(wish.ok && client && credential ? tellReach(wish.value, credential.standing, client, now) : []),
  ]
  const steps = result.ok ? told : endAtRefusal(told, result.error, attempt)
  return { result, steps: steps.map((step) => ({ ...step, detail: redactCredentials(step.detail) })) }
}

async function settleAttempt({ wish, client, credential, now }: Attempt): Promise<Explanation['result']> {
  if (!wish.ok) return wish
  if (!credential) return fail({ reason: 'subject_token_refused', cause: 'credential_malformed' })
  if (!client) return fail({ reason: 'client_unknown' })
  const { verified } = credential
  return (await settleExchange(wish.value, client, async () => verified, now)).result
}

/** The steps before the refusal, what there is to know of its own, and the refusal itself. */
function endAtRefusal(told: readonly Step[], refusal: Refusal, attempt: Attempt): Step[] {
  const step = stepOf(refusal, attempt.credential)
  const end = STEPS.indexOf(step)
  return [
    ...told.filter((one) => STEPS.indexOf(one.step) < end),
    ...told.filter((one) => one.step === step && one.outcome === 'info'),
    { step, outcome: 'fail', detail: tellRefusal(refusal, attempt) },
  ]
}

function stepOf(refusal: Refusal, credential: CheckedCredential | null): StepName {
  switch (refusal.reason) {
    case 'client_unknown':
    case 'client_not_allowed':
      return 'client'
    case 'subject_token_refused':
      // A credential that passed every check can only be too near its end.
      return credential?.verified.ok ? 'expiry' : CREDENTIAL_STEPS[refusal.cause]
    case 'audience_ambiguous':
    case 'audience_not_permitted':
    case 'audiences_incompatible':
      return 'audience'
    case 'scope_exceeds':
    case 'scopes_differ':
      return 'scope'
    default:
      return 'request'
  }
}

type CredentialCause = Extract<Refusal, { reason: 'subject_token_refused' }>['cause']

const CREDENTIAL_STEPS: Readonly<Record<CredentialCause, StepName>> = {
  credential_malformed: 'request',
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
