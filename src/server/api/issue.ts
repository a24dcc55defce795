// Issuing a credential over the API, whoever asks for it: the change, its record, and the one answer with the value.

import type { z } from 'zod'
import { findCredential } from '../credential/find.ts'
import { type FreshCredential, type IssueRefusal, issuePat, type PatRequest } from '../credential/issue.ts'
import { lockOwner } from '../credential/owner-store.ts'
import type { Issuer } from '../credential/store.ts'
import type { Terms } from '../credential/terms.ts'
import { Problem, type ProblemCode } from '../http/problem.ts'
import type { Change, MakeChange, Origin, Reader } from '../ledger/change.ts'
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

/** Whoever issues a credential for somebody else sees its value: it never manages more than they do. */
export const issuerOf = (caller: Caller): Issuer => ({
  subject: caller.subject,
  reach: caller.isPlatformWide ? 'platform' : 'organization',
  scopes: [...new Set(caller.scopes)],
})

/** What a body asks a new credential of an organization to be. */
export const readTerms = (body: CredentialTerms, organizationId: string, now: Date): Terms => ({
  organizationId,
  name: body.name,
  lifetime: readLifetime(body, now),
  permissions: body.permissions ?? null,
  allowedCidrs: body.allowed_cidrs ?? null,
  mayAct: body.may_act ?? null,
})

/** Where a PAT is for, and by whom, when not by its owner; throws what stands against it. */
export type ResolveTerms = (db: Reader) => Promise<Pick<PatRequest, 'organizationId' | 'issuer'>>

/**
 * Issues a PAT with what `body` asks for; gives what the creation answers. `resolve` is asked twice: before the work of
 * making a value, and for good once nobody else changes what the owner has.
 */
export async function issueFor(
  { body, now, origin }: IssueCall,
  ownerId: string,
  resolve: ResolveTerms,
  { db, change, makeCredential }: ApiDependencies,
) {
  await resolve(db)
  const fresh = await makeCredential('personal')
  return showOnce(change, fresh, { origin, now }, async ({ transaction, record }) => {
    await lockOwner(transaction, ownerId)
    const { organizationId, issuer } = await resolve(transaction)
    const request = { ...readTerms(body, organizationId, now), ownerId, issuer }
    const issued = await issuePat(transaction, fresh, request, now)
    if (!issued.ok) throw toIssueProblem(issued.error)
    record({ type: 'credential.issued', organizationId, subject: ownerId, credentialId: fresh.value.id })
  })
}

/**
 * Makes the change that a credential comes from; gives it as JSON, with its value. It is read within the change: after
 * the commit nothing may fail any more, or the only sight of the value would be lost.
 */
export async function showOnce(
  change: MakeChange,
  fresh: FreshCredential,
  { origin, now }: { readonly origin: Origin; readonly now: Date },
  work: (change: Change) => Promise<void>,
) {
  const view = await change(origin, async (made) => {
    await work(made)
    const standing = await findCredential(made.transaction, fresh.value.id, () => true)
    if (!standing) throw new Error('the change made no credential')
    return viewCredential(standing, now)
  })
  return { ...view, token: fresh.value.reveal() }
}

export function toIssueProblem(refusal: IssueRefusal): Problem {
  switch (refusal.reason) {
    case 'owner_unknown':
      return new Problem('not_found')
    case 'owner_suspended':
      return new Problem('forbidden', 'The user is suspended')
    case 'beyond_issuer':
      return new Problem('forbidden', `The PAT would have rights beyond yours: ${refusal.right}`)
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
