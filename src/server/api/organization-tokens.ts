// `/organizations/{slug}/tokens`: every credential of an organization, PATs and API keys, for its admins.

import { z } from 'zod'
import { slug } from '../directory/schema.ts'
import type { Reader } from '../ledger/change.ts'
import type { Caller } from './caller.ts'
import { REVOKE_PROBLEMS, requireCredential, revoke, type Sought } from './credential-life.ts'
import { credentialPage, listCredentialPage } from './credential-page.ts'
import { credentialView, versionOfCredential, viewCredential } from './credential-view.ts'
import { NO_CONTENT, operation } from './operation.ts'
import { pageQuery } from './page.ts'
import { requireOrganization } from './reach.ts'
import { credentialId, slugParams, uuid } from './schema.ts'

const ofCredential = z.object({ slug, id: credentialId })

const list = operation({
  id: 'listOrganizationTokens',
  method: 'get',
  path: '/organizations/{slug}/tokens',
  tag: 'Organizations',
  summary: 'List the credentials of an organization',
  description: 'PATs and API keys, oldest first, also those that do not work any more.',
  access: 'tokens:admin',
  params: slugParams,
  query: pageQuery.extend({
    owner: uuid.optional().describe('Only the PATs of this user'),
    kind: z.enum(['personal', 'organization']).optional().describe('Only PATs, or only API keys'),
  }),
  answer: credentialPage,
  handle: async (call, { db }) => {
    const { caller, params, query } = call
    const { id: organizationId } = await requireOrganization(db, caller, params.slug)
    return listCredentialPage(db, { organizationId, ownerId: query.owner, kind: query.kind }, call)
  },
})

const show = operation({
  id: 'getOrganizationToken',
  method: 'get',
  path: '/organizations/{slug}/tokens/{id}',
  tag: 'Organizations',
  summary: 'Read a credential of an organization',
  access: 'tokens:admin',
  params: ofCredential,
  answer: {
    status: 200,
    description: 'The credential',
    schema: credentialView,
    version: versionOfCredential,
  },
  handle: async ({ caller, params, now }, { db }) =>
    viewCredential(await requireCredential(db, await seek(db, caller, params)), now),
})

const remove = operation({
  id: 'revokeOrganizationToken',
  method: 'delete',
  path: '/organizations/{slug}/tokens/{id}',
  tag: 'Organizations',
  summary: 'Revoke a credential of an organization',
  description: 'Whoever owns it. Binds at once and for good. Revoking twice changes nothing more.',
  access: 'tokens:admin',
  params: ofCredential,
  answer: NO_CONTENT,
  problems: REVOKE_PROBLEMS,
  handle: async (call, dependencies) =>
    revoke(call, await seek(dependencies.db, call.caller, call.params), dependencies),
})

export const organizationTokenOperations = [list, show, remove]

/** The credential of this id in the organization of this slug; 404 when the caller's rights do not reach that. */
async function seek(
  db: Reader,
  caller: Caller,
  { slug, id }: z.output<typeof ofCredential>,
): Promise<Sought> {
  const organization = await requireOrganization(db, caller, slug)
  return { id, isVisible: (found) => found.organization.id === organization.id }
}
