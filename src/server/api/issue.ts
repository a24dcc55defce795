// Issuing a credential over the API, whoever asks for it: the change, its record, and the one answer with the value.

import type { z } from 'zod'
import { findCredential } from '../credential/find.ts'
import type { FreshCredential } from '../credential/issue.ts'
import { type IssueRefusal, type IssueRequest, issuePat } from '../credential/issue.ts'
import type { Issuer } from '../credential/store.ts'
import { Problem, type ProblemCode } from '../http/problem.ts'
import type { Origin, Reader } from '../ledger/change.ts'
import type { Caller } from './caller.ts'
import { type patBody, readLifetime } from './credential-body.ts'
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

/** Issues a PAT with what `body` asks for; gives what the creation answers. */
export async function issueFor(
  { body, now, origin }: IssueCall,
  { ownerId, organizationId, issuer }: Pick<IssueRequest, 'ownerId' | 'organizationId' | 'issuer'>,
  { db, change, makeCredential }: ApiDependencies,
) {
  const request: IssueRequest = {
    ownerId,
    organizationId,
    issuer,
    name: body.name,
    lifetime: readLifetime(body, now),
    permissions: body.permissions ?? null,
    allowedCidrs: body.allowed_cidrs ?? null,
  }
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
      return new Problem('policy_violation', `${refusal.rule} of the ${refusal.level} policy`, {
        rule: refusal.rule,
        level: refusal.level,
        limit_seconds: refusal.limitSeconds,
      })
  }
}
