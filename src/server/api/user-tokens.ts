// `/users/{id}/tokens`: issuing a PAT for a user.

import { z } from 'zod'
import { listOrganizationsOf } from '../credential/owner-store.ts'
import type { Permission, Role } from '../credential/standing.ts'
import { narrowToChosen } from '../exchange/granted.ts'
import { Problem } from '../http/problem.ts'
import type { Reader } from '../ledger/change.ts'
import { findBeyond } from './authority.ts'
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
    'than whoever issues it, who must be able to hand on what it may do. For users who also belong to an organization ' +
    'beyond the reach of the caller it takes platform-wide rights.',
  access: 'tokens:issue',
  params: z.object({ user_id: uuid }),
  body: patBody,
  answer: { status: 201, description: 'The PAT and its value', schema: newCredentialView },
  problems: ISSUE_PROBLEMS,
  handle: async (call, dependencies) => {
    const { caller, params, body } = call
    const permissions = body.permissions ?? null
    const issuer = {
      ...issuerOf(caller),
      findBeyond: (role: Role) => findBeyond(caller, narrowRole(role, permissions), dependencies.apiAudience),
    }
    const resolve = async (db: Reader) => ({
      organizationId: await resolveOrganization(db, caller, params.user_id, body.organization),
      issuer,
    })
    return issueFor(call, params.user_id, resolve, dependencies)
  },
})

export const userTokenOperations = [issueForUser]

/** What a PAT of this role may do, of which these permissions were chosen. */
const narrowRole = ({ reach, grants }: Role, permissions: readonly Permission[] | null) => ({
  reach,
  grants: grants.map((grant) => ({ ...grant, scopes: narrowToChosen(grant, permissions) })),
})

/**
 * Id of the organization a PAT of the user is for. Whatever lies outside the caller's reach does not exist: 404. 403 when
 * the user belongs there too: they are one subject everywhere, and nobody who administers one of their organizations,
 * to which they never had to agree, shall act as them.
 */
async function resolveOrganization(
  db: Reader,
  caller: Caller,
  userId: string,
  slug: string | undefined,
): Promise<string> {
  if (caller.standing.owner?.id === userId) requireSignIn(caller)
  const all = await listOrganizationsOf(db, userId)
  const own = caller.standing.organization.id
  const organizations = all.filter(({ id }) => caller.isPlatformWide || id === own)
  if (organizations.length === 0) throw new Problem('not_found')
  if (organizations.length < all.length)
    throw new Problem('forbidden', 'The user also belongs to an organization beyond your reach')
  const [organization, another] = organizations.filter((one) => slug === undefined || one.slug === slug)
  if (!organization) throw new Problem('not_found', 'The user is not a member of this organization')
  if (another) throw new Problem('invalid_request', 'organization: is needed, the user belongs to several')
  return organization.id
}
