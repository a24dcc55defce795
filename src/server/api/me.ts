// `/me`: who calls, and what they may do right now.

import { z } from 'zod'
import { narrowScopes } from '../../protocol/scope.ts'
import type { Standing } from '../credential/standing.ts'
import { audience, slug } from '../directory/schema.ts'
import { findUser, type User } from '../directory/user-store.ts'
import { Problem } from '../http/problem.ts'
import type { Reader } from '../ledger/change.ts'
import { type Caller, SELF_SERVICE } from './caller.ts'
import { credentialView, viewCredential } from './credential-view.ts'
import { operation } from './operation.ts'
import { userView } from './user-view.ts'

const meView = z
  .strictObject({
    subject: z.string().describe('The token claim `sub`'),
    kind: z.enum(['user', 'key']),
    user: userView.pick({ id: true, email: true, name: true }).nullable().describe('Null for an API key'),
    organization: slug,
    role: slug.nullable(),
    is_platform_wide: z.boolean().describe('Whether management rights reach every organization'),
    scopes: z.array(z.string()).describe('Scopes of the management API, as they are now'),
    permissions: z
      .array(z.strictObject({ audience, scopes: z.array(z.string()) }))
      .describe('What the credential can be exchanged for now; of an access token, what it allows itself'),
    credential: credentialView,
  })
  .meta({ id: 'Me' })

const show = operation({
  id: 'getMe',
  method: 'get',
  path: '/me',
  tag: 'Me',
  summary: 'Read who calls',
  access: 'any_caller',
  answer: { status: 200, description: 'The caller', schema: meView },
  handle: async ({ caller, now }, { db, apiAudience }) => {
    const { subject, standing, scopes, permissions, isPlatformWide } = caller
    const user = await findOwner(db, caller)
    return {
      subject,
      kind: user ? ('user' as const) : ('key' as const),
      user: user && { id: user.id, email: user.email, name: user.name },
      organization: standing.organization.slug,
      role: standing.role?.name ?? null,
      is_platform_wide: isPlatformWide,
      scopes: narrowScopes(scopes, [...declaredAt(standing, apiAudience), ...SELF_SERVICE]),
      permissions: permissions
        .map(({ audience: at, scopes: held }) => ({
          audience: at,
          scopes: narrowScopes(held, declaredAt(standing, at)),
        }))
        .filter((one) => one.scopes.length > 0),
      credential: viewCredential(standing, now),
    }
  },
})

export const meOperations = [show]

/** What the resource server knows, of which a caller holds patterns. */
const declaredAt = ({ role }: Standing, at: string): readonly string[] =>
  role?.grants.find((grant) => grant.audience === at)?.declaredScopes ?? []

/** The user behind the credential; null for an API key. 401 when they were deleted since the credential was checked. */
async function findOwner(db: Reader, { standing }: Caller): Promise<User | null> {
  if (!standing.owner) return null
  const user = await findUser(db, standing.owner.id)
  if (!user) throw new Problem('unauthorized')
  return user
}
