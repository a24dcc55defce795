// `/users/{id}/tokens`: issuing a credential for a user.

import type Router from '@koa/router'
import type { Context } from 'koa'
import { anyCovers, narrowScopes } from '../../protocol/scope.ts'
import type { IssueRefusal, IssueRequest } from '../credential/issue.ts'
import type { Role } from '../credential/standing.ts'
import type { Tokens } from '../credential/tokens.ts'
import { checkBody } from '../http/guard.ts'
import { Problem } from '../http/problem.ts'
import { type Caller, requireCaller } from './caller.ts'
import { recordCredentialChange } from './credential-audit.ts'
import { viewCredential } from './credential-view.ts'
import { UUID } from './page.ts'
import { issueBody, readLifetime } from './token-schema.ts'

export interface IssueDependencies {
  readonly tokens: Tokens
  readonly apiAudience: string
  readonly clock: () => Date
}

export function addIssueRoutes(router: Router, dependencies: IssueDependencies): void {
  router.post('/users/:userId/tokens', (ctx) => issueForUser(ctx, dependencies))
}

async function issueForUser(ctx: Context, dependencies: IssueDependencies): Promise<void> {
  const { tokens, clock } = dependencies
  const caller = requireCaller(ctx, 'tokens:issue')
  const body = checkBody(ctx, issueBody)
  const now = clock()
  const lifetime = readLifetime(body, now)
  if (!lifetime) throw new Problem('invalid_request', 'expires_at: must lie in the future')
  const owner = await resolveOwner(tokens, caller, String(ctx['params'].userId), body.organization)
  refuseEscalation(caller, owner.role, dependencies.apiAudience)
  const request: IssueRequest = {
    ownerId: owner.userId,
    organizationId: owner.organizationId,
    name: body.name,
    lifetime,
    permissions: body.permissions ?? null,
    allowedCidrs: body.allowed_cidrs ?? null,
    issuer: { subject: caller.subject, reach: caller.isPlatformWide ? 'platform' : 'organization' },
  }
  const change = { ...request, type: 'credential.issued', occurredAt: now } as const
  const issued = await tokens.issue(request, now, recordCredentialChange(ctx, caller, change))
  if (!issued.ok) throw toIssueProblem(issued.error)
  const standing = await tokens.find(issued.value.id)
  if (!standing) throw new Problem('not_found', 'The credential is gone already')
  ctx.status = 201
  ctx.body = { ...viewCredential(standing, now), token: issued.value.reveal() }
}

interface Owner {
  readonly userId: string
  readonly organizationId: string
  readonly role: Role
}

/** The user and organization a credential is for. Whatever lies outside the caller's reach does not exist: 404. */
async function resolveOwner(
  tokens: Tokens,
  caller: Caller,
  userId: string,
  slug: string | undefined,
): Promise<Owner> {
  if (!UUID.test(userId)) throw new Problem('not_found')
  // Else whoever got hold of a credential could make another that outlives its revocation.
  if (caller.standing.owner?.id === userId)
    throw new Problem('forbidden', 'A credential makes none for its own owner')
  const own = caller.standing.organization.slug
  const organizations = (await tokens.organizationsOf(userId)).filter(
    (organization) => caller.isPlatformWide || organization.slug === own,
  )
  if (organizations.length === 0) throw new Problem('not_found')
  const [organization, another] = organizations.filter((one) => slug === undefined || one.slug === slug)
  if (!organization) throw new Problem('not_found', 'The user is not a member of this organization')
  if (another) throw new Problem('invalid_request', 'organization: is needed, the user belongs to several')
  const role = await tokens.membershipOf(userId, organization.id)
  if (!role) throw new Problem('not_found')
  return { userId, organizationId: organization.id, role }
}

/** Whoever issues a credential sees its value: it must not manage more than the issuer does. */
function refuseEscalation(caller: Caller, role: Role, apiAudience: string): void {
  const api = role.grants.find(({ audience }) => audience === apiAudience)
  const ofOwner = api ? narrowScopes(api.scopes, api.declaredScopes) : []
  const isWithin = ofOwner.every((scope) => anyCovers(caller.scopes, scope))
  if (isWithin && (caller.isPlatformWide || role.reach === 'organization')) return
  throw new Problem('forbidden', 'The user has management rights beyond yours')
}

function toIssueProblem(refusal: IssueRefusal): Problem {
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
