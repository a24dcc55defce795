// What happens to a credential after it was made, whether its holder asks for it or an admin: it is renamed, rotated or
// revoked, each with its record in the same transaction.

import type { z } from 'zod'
import { findCredential, holdCredential } from '../credential/find.ts'
import { type RenameRefusal, renameCredential } from '../credential/rename.ts'
import { type RotateRefusal, rotateCredential } from '../credential/rotate.ts'
import { type Standing, subjectOf } from '../credential/standing.ts'
import { markRevoked } from '../credential/store.ts'
import { Problem, type ProblemCode } from '../http/problem.ts'
import type { ChangeEvent, Origin, Reader } from '../ledger/change.ts'
import type { Caller } from './caller.ts'
import { readLifetime, type renameBody, type rotateBody } from './credential-body.ts'
import { type credentialView, versionOfCredential, viewCredential } from './credential-view.ts'
import type { ApiDependencies } from './dependencies.ts'
import { issuerOf, showOnce, toPolicyProblem } from './issue.ts'
import { requireVersion } from './version.ts'

/** A credential by its id, among those the caller may see. */
export interface Sought {
  readonly id: string
  readonly isVisible: (standing: Standing) => boolean
}

interface ChangeCall {
  readonly caller: Caller
  readonly now: Date
  readonly origin: Origin
  readonly ifMatch: string | null
}

export const RENAME_PROBLEMS: readonly ProblemCode[] = ['token_name_taken', 'not_active']
export const ROTATE_PROBLEMS: readonly ProblemCode[] = ['already_rotated', 'not_active', 'policy_violation']
export const REVOKE_PROBLEMS: readonly ProblemCode[] = ['precondition_failed']

/** 404 when there is none, or the caller may not see it. */
export async function requireCredential(db: Reader, { id, isVisible }: Sought): Promise<Standing> {
  const standing = await findCredential(db, id, isVisible)
  if (!standing) throw new Problem('not_found')
  return standing
}

/** The same for changing it: nobody else does until the transaction ends. */
async function requireHeld(transaction: Reader, { id, isVisible }: Sought): Promise<Standing> {
  const standing = await holdCredential(transaction, id, isVisible)
  if (!standing) throw new Problem('not_found')
  return standing
}

const whoseIs = (standing: Standing) => ({
  organizationId: standing.organization.id,
  subject: subjectOf(standing),
  credentialId: standing.credential.id,
})

/** Renames a credential that has not ended; gives it as JSON. */
export function rename(
  { body, now, origin, ifMatch }: ChangeCall & { readonly body: z.output<typeof renameBody> },
  sought: Sought,
  { change }: ApiDependencies,
): Promise<z.output<typeof credentialView>> {
  return change(origin, async ({ transaction, record }) => {
    const standing = await requireHeld(transaction, sought)
    const before = viewCredential(standing, now)
    requireVersion(ifMatch, versionOfCredential(before))
    const renamed = await renameCredential(transaction, standing, body.name, now)
    if (!renamed.ok) throw toProblem(renamed.error)
    const detail = { before: { name: before.name }, after: { name: body.name } }
    if (renamed.value) record({ type: 'credential.renamed', ...whoseIs(standing), detail })
    return { ...before, name: body.name }
  })
}

/** Revokes a credential; nothing happens to one that is revoked already. */
export function revoke(
  { caller, now, origin, ifMatch }: ChangeCall,
  sought: Sought,
  { change }: ApiDependencies,
): Promise<void> {
  return change(origin, async ({ transaction, record }) => {
    const standing = await requireHeld(transaction, sought)
    requireVersion(ifMatch, versionOfCredential(viewCredential(standing, now)))
    if (await markRevoked(transaction, sought.id, { by: caller.subject, reason: null, at: now }))
      record({ type: 'credential.revoked', ...whoseIs(standing) })
  })
}

type RotateCall = Pick<ChangeCall, 'caller' | 'now' | 'origin'> & {
  readonly body: z.output<typeof rotateBody>
}

/** Rotates a credential that `mayRotate` lets pass by not throwing; gives its successor with the value. */
export async function rotate(
  { caller, body, now, origin }: RotateCall,
  sought: Sought,
  mayRotate: (standing: Standing) => void,
  { db, change, makeCredential }: ApiDependencies,
) {
  const seen = await requireCredential(db, sought)
  mayRotate(seen)
  const request = {
    lifetime: hasLifetime(body) ? readLifetime(body, now) : null,
    overlapSeconds: body.overlap_seconds,
    clearsSuspicion: caller.isInteractive,
    mayExtend: caller.isInteractive || caller.standing.credential.id !== sought.id,
    issuer: subjectOf(seen) === caller.subject ? null : issuerOf(caller),
  }
  const fresh = await makeCredential(seen.credential.kind)
  return showOnce(change, fresh, { origin, now }, async ({ transaction, record }) => {
    const standing = await requireHeld(transaction, sought)
    mayRotate(standing)
    const rotated = await rotateCredential(transaction, standing, fresh, request, now)
    if (!rotated.ok) throw toProblem(rotated.error)
    for (const event of describeRotation(standing, fresh.value.id, body.overlap_seconds)) record(event)
  })
}

const hasLifetime = (body: z.output<typeof rotateBody>): boolean =>
  body.expires_in_seconds !== undefined || body.expires_at !== undefined || body.never_expires !== undefined

function describeRotation(standing: Standing, successor: string, overlapSeconds: number): ChangeEvent[] {
  const { id } = standing.credential
  const next = { ...standing, credential: { ...standing.credential, id: successor } }
  return [
    {
      type: 'credential.rotated',
      ...whoseIs(standing),
      detail: { successor, overlap_seconds: overlapSeconds },
    },
    { type: 'credential.issued', ...whoseIs(next), detail: { predecessor: id } },
  ]
}

function toProblem(refusal: RenameRefusal | RotateRefusal): Problem {
  switch (refusal.reason) {
    case 'policy_violation':
      return toPolicyProblem(refusal)
    case 'lifetime_extended':
      return new Problem('forbidden', 'A credential gives its successor no longer life than its own was')
    default:
      return new Problem(refusal.reason)
  }
}
