// `/users/{id}/tokens`: issuing a PAT for a user.

import { z } from 'zod'
import { findMembership, listOrganizationsOf } from '../credential/owner-store.ts'
import type { Role } from '../credential/standing.ts'
import { Problem } from '../http/problem.ts'
import type { Reader } from '../ledger/change.ts'
import { findEscalation } from './authority.ts'
import type { Caller } from './caller.ts'
import { patBody } from './credential-body.ts'
import { newCredentialView } from './credential-view.ts'
import { ISSUE_PROBLEMS, issueFor, issuerOf } from './issue.ts'
import { requireSignIn } from './new-value.ts'
import { operation } from './operation.ts'
import { uuid } from './schema.ts'

const issueForUser = operation({
  id: 'issueUserToken',
  method: 'post',
  path: '/users/{user_id}/tokens',
  tag: 'Users',
  summary: 'Issue a PAT for a user',
  description:
    'The value is shown once, in this answer. The PAT never does more than the user may, and never manages more ' +
    'than whoever issues it.',
  access: 'tokens:issue',
  params: z.object({ user_id: uuid }),
  body: patBody,
  answer: { status: 201, description: 'The PAT and its value', schema: newCredentialView },
  problems: ISSUE_PROBLEMS,
  handle: async (call, dependencies) => {
    const { caller, params, body } = call
    const owner = await resolveOwner(dependencies.db, caller, params.user_id, body.organization)
    const escalation = findEscalation(caller, owner.role, dependencies.apiAudience)
    if (escalation)
      throw new Problem('forbidden', `The user has management rights beyond yours: ${escalation}`)
    return issueFor(call, { ...owner, issuer: issuerOf(caller) }, dependencies)
  },
})

export const userTokenOperations = [issueForUser]

interface Owner {
  readonly ownerId: string
  readonly organizationId: string
  readonly role: Role
}

/** The user and organization a credential is for. Whatever lies outside the caller's reach does not exist: 404. */
async function resolveOwner(
  db: Reader,
  caller: Caller,
  userId: string,
  slug: string | undefined,
): Promise<Owner> {
  if (caller.standing.owner?.id === userId) requireSignIn(caller)
  const own = caller.standing.organization.slug
  const organizations = (await listOrganizationsOf(db, userId)).filter(
    (organization) => caller.isPlatformWide || organization.slug === own,
  )
  if (organizations.length === 0) throw new Problem('not_found')
  const [organization, another] = organizations.filter((one) => slug === undefined || one.slug === slug)
  if (!organization) throw new Problem('not_found', 'The user is not a member of this organization')
  if (another) throw new Problem('invalid_request', 'organization: is needed, the user belongs to several')
  const role = await findMembership(db, userId, organization.id)
  if (!role) throw new Problem('not_found', 'The user has no role in this organization')
  return { ownerId: userId, organizationId: organization.id, role }
}
