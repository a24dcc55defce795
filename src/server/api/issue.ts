// Issuing a credential over the API, whoever asks for it: the change, its record, and the one answer with the value.

import type { z } from 'zod'
import { findCredential } from '../credential/find.ts'
import { type FreshCredential, type IssueRefusal, issuePat, type PatRequest } from '../credential/issue.ts'
import type { Issuer } from '../credential/store.ts'
import type { Terms } from '../credential/terms.ts'
import { Problem, type ProblemCode } from '../http/problem.ts'
import type { Origin, Reader } from '../ledger/change.ts'
import type { PolicyViolation } from '../policy/creation.ts'
import type { Caller } from './caller.ts'
import { type CredentialTerms, type patBody, readLifetime } from './credential-body.ts'
import { viewCredential } from './credential-view.ts'
import type { ApiDependencies } from './dependencies.ts'

export const ISSUE_PROBLEMS: readonly ProblemCode[] = [
  'token_name_taken',
  'token_limit_reached',
  'policy_violation',
  'permission_not_held',
]

interface IssueCall {
  readonly body: z.output<typeof patBody>
  readonly now: Date
  readonly origin: Origin
}

/** Whoever issues a credential for somebody else sees its value: it never manages beyond their own reach. */
export const issuerOf = (caller: Caller): Issuer => ({
  subject: caller.subject,
  reach: caller.isPlatformWide ? 'platform' : 'organization',
})

/** What a body asks a new credential of an organization to be. */
export const readTerms = (body: CredentialTerms, organizationId: string, now: Date): Terms => ({
  organizationId,
  name: body.name,
  lifetime: readLifetime(body, now),
  permissions: body.permissions ?? null,
  allowedCidrs: body.allowed_cidrs ?? null,
})

/** Issues a PAT with what `body` asks for; gives what the creation answers. */
export async function issueFor(
  { body, now, origin }: IssueCall,
  { ownerId, organizationId, issuer }: Pick<PatRequest, 'ownerId' | 'organizationId' | 'issuer'>,
  { db, change, makeCredential }: ApiDependencies,
) {
  const request: PatRequest = { ...readTerms(body, organizationId, now), ownerId, issuer }
  const fresh = await makeCredential('personal')
  await change(origin, async ({ transaction, record }) => {
    const issued = await issuePat(transaction, fresh, request, now)
    if (!issued.ok) throw toIssueProblem(issued.error)
    record({ type: 'credential.issued', organizationId, subject: ownerId, credentialId: fresh.value.id })
  })
  return showOnce(db, fresh, now)
}

/** The credential as JSON, with its value. */
export async function showOnce(db: Reader, fresh: FreshCredential, now: Date) {
  const standing = await findCredential(db, fresh.value.id, () => true)
  if (!standing) throw new Problem('not_found', 'The credential is gone already')
  return { ...viewCredential(standing, now), token: fresh.value.reveal() }
}

export function toIssueProblem(refusal: IssueRefusal): Problem {
  switch (refusal.reason) {
    case 'owner_unknown':
      return new Problem('not_found')
    case 'owner_suspended':
      return new Problem('forbidden', 'The user is suspended')
    case 'token_name_taken':
      return new Problem('token_name_taken')
    case 'token_limit_reached':
      return new Problem('token_limit_reached', `At most ${refusal.limit} active tokens are allowed`, {
        limit: refusal.limit,
      })
    case 'permission_not_held':
      return new Problem('permission_not_held', undefined, {
        audience: refusal.audience,
        scope: refusal.scope,
      })
    case 'policy_violation':
      return toPolicyProblem(refusal)
  }
}

export const toPolicyProblem = ({ rule, level, limitSeconds }: PolicyViolation): Problem =>
  new Problem('policy_violation', `${rule} of the ${level} policy`, {
    rule,
    level,
    limit_seconds: limitSeconds,
  })
