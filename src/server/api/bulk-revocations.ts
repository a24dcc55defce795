// Revoking many credentials at once: of an organization, of a user, or of the whole platform.

import { z } from 'zod'
import { listCredentialIds } from '../credential/list-store.ts'
import { listMembershipsOf } from '../directory/membership-store.ts'
import { findUser } from '../directory/user-store.ts'
import { Problem } from '../http/problem.ts'
import type { Reader } from '../ledger/change.ts'
import type { Caller } from './caller.ts'
import { operation } from './operation.ts'
import { requireOrganization, requirePlatformWide } from './reach.ts'
import { type BulkResult, revokeInBatches } from './revoke-in-batches.ts'
import { givenInstant, instant, slugParams, uuid } from './schema.ts'

const createdBefore = givenInstant.describe('Only those created before this instant')
const all = z.literal(true).describe('All of them; stands alone')

const spareOwn = z
  .boolean()
  .default(false)
  .describe(
    'Leave the calling credential alone, which otherwise goes with the others: without it nobody may be left',
  )

const narrow = { created_before: createdBefore.optional(), all: all.optional() }
const isEither = (body: { all?: unknown; created_before?: unknown }): boolean =>
  (body.all === undefined) !== (body.created_before === undefined)
const EITHER = { error: 'give either all or created_before' }

const userBody = z.strictObject(narrow).refine(isEither, EITHER)
const platformBody = z.strictObject({ ...narrow, spare_own: spareOwn }).refine(isEither, EITHER)

const organizationBody = z
  .strictObject({
    owner: uuid.optional().describe('Only the PATs of this user'),
    created_before: createdBefore.optional(),
    all: all.optional(),
    spare_own: spareOwn,
  })
  .refine(
    (body) => (body.all === undefined) !== (body.owner === undefined && body.created_before === undefined),
    {
      error: 'give either all, or owner, created_before or both',
    },
  )

const resultView = z
  .strictObject({
    revoked: z.int().describe('Credentials this request revoked'),
    complete: z
      .boolean()
      .describe('False: time ran out. The same request again goes on where this one stopped'),
    created_before: instant.describe('Nothing created at this instant or later was revoked'),
  })
  .meta({ id: 'BulkRevocation' })

const ANSWER = { status: 200, description: 'What was revoked', schema: resultView } as const
const DESCRIPTION =
  'Binds at once, a thousand at a time, each with an audit record of its own. Those revoked already are left alone, so ' +
  'that the request can be repeated; the calling credential comes last. Successors that appear meanwhile by rotation ' +
  'are revoked as well; whatever else is created meanwhile is not.'

const viewResult = ({ revoked, isComplete, createdBefore }: BulkResult): z.output<typeof resultView> => ({
  revoked,
  complete: isComplete,
  created_before: createdBefore.toISOString(),
})

interface BulkBody {
  readonly created_before?: string | undefined
  readonly spare_own?: boolean
}

const readWish = ({ created_before: text, spare_own: sparesOwn = false }: BulkBody) => ({
  createdBefore: text === undefined ? null : new Date(text),
  sparesOwn,
})

const ofOrganization = operation({
  id: 'revokeOrganizationTokens',
  method: 'post',
  path: '/organizations/{slug}/tokens/revoke',
  tag: 'Organizations',
  summary: 'Revoke many credentials of an organization',
  description: DESCRIPTION,
  access: 'tokens:admin',
  params: slugParams,
  body: organizationBody,
  answer: ANSWER,
  handle: async (call, dependencies) => {
    const { caller, params, body } = call
    const { id: organizationId } = await requireOrganization(dependencies.db, caller, params.slug)
    const wish = { organizationId, ownerId: body.owner, ...readWish(body) }
    return viewResult(await revokeInBatches(call, wish, dependencies))
  },
})

const ofUser = operation({
  id: 'revokeUserTokens',
  method: 'post',
  path: '/users/{user_id}/tokens/revoke',
  tag: 'Users',
  summary: 'Revoke the PATs of a user',
  description: `In every organization; without platform-wide rights: in the own one. ${DESCRIPTION}`,
  access: 'tokens:admin',
  params: z.object({ user_id: uuid }),
  body: userBody,
  answer: ANSWER,
  handle: async (call, dependencies) => {
    const { caller, params, body } = call
    if (!(await isWithinReach(dependencies.db, caller, params.user_id))) throw new Problem('not_found')
    const organizationId = caller.isPlatformWide ? undefined : caller.standing.organization.id
    const wish = { organizationId, ownerId: params.user_id, ...readWish(body) }
    return viewResult(await revokeInBatches(call, wish, dependencies))
  },
})

const ofPlatform = operation({
  id: 'revokePlatformTokens',
  method: 'post',
  path: '/platform/tokens/revoke',
  tag: 'Platform',
  summary: 'Revoke credentials of every organization',
  description: `Takes platform-wide rights. ${DESCRIPTION}`,
  access: 'tokens:admin',
  body: platformBody,
  answer: ANSWER,
  handle: async (call, dependencies) => {
    requirePlatformWide(call.caller, 'Revoking credentials of the platform')
    return viewResult(await revokeInBatches(call, readWish(call.body), dependencies))
  },
})

export const bulkRevocationOperations = [ofOrganization, ofUser, ofPlatform]

/** Whether the user exists for the caller: also somebody who has left the organization, and PATs behind in it. */
async function isWithinReach(db: Reader, caller: Caller, userId: string): Promise<boolean> {
  if (!(await findUser(db, userId))) return false
  if (caller.isPlatformWide) return true
  const { id: organizationId } = caller.standing.organization
  const memberships = await listMembershipsOf(db, userId)
  if (memberships.some((membership) => membership.organizationId === organizationId)) return true
  return (await listCredentialIds(db, { organizationId, ownerId: userId }, 1, null)).length > 0
}
