// `/tokens`: a caller's own credentials, of the organization that the credential they call with is bound to. Whatever
// else there is does not exist. What an API key owns is itself.

import { z } from 'zod'
import { findCredential, listCredentials } from '../credential/find.ts'
import type { Standing } from '../credential/standing.ts'
import { markRevoked } from '../credential/store.ts'
import { Problem } from '../http/problem.ts'
import type { Reader } from '../ledger/change.ts'
import type { Caller } from './caller.ts'
import { credentialView, versionOfCredential, viewCredential } from './credential-view.ts'
import { NO_CONTENT, operation } from './operation.ts'
import { decodeCursor, pageOf, pageQuery, toPage } from './page.ts'
import { credentialId } from './schema.ts'

const ofCredential = z.object({ id: credentialId })

const list = operation({
  id: 'listTokens',
  method: 'get',
  path: '/tokens',
  tag: 'Tokens',
  summary: 'List own credentials',
  description: 'Those of the organization that the calling credential is bound to, oldest first.',
  access: 'tokens:read',
  query: pageQuery,
  answer: { status: 200, description: 'A page of credentials', schema: pageOf(credentialView) },
  handle: async ({ caller, query, now }, { db }) => {
    const { standing } = caller
    const cursor = decodeCursor(query.cursor, credentialId)
    const filter = { organizationId: standing.organization.id, ownerId: standing.owner?.id }
    const rows = standing.owner ? await listCredentials(db, filter, query.limit + 1, cursor) : [standing]
    return toPage(
      rows,
      query.limit,
      (row) => row.credential,
      (row) => viewCredential(row, now),
    )
  },
})

const show = operation({
  id: 'getToken',
  method: 'get',
  path: '/tokens/{id}',
  tag: 'Tokens',
  summary: 'Read one of the own credentials',
  access: 'tokens:read',
  params: ofCredential,
  answer: {
    status: 200,
    description: 'The credential',
    schema: credentialView,
    version: versionOfCredential,
  },
  handle: async ({ caller, params, now }, { db }) =>
    viewCredential(await requireOwn(db, caller, params.id), now),
})

const revoke = operation({
  id: 'revokeToken',
  method: 'delete',
  path: '/tokens/{id}',
  tag: 'Tokens',
  summary: 'Revoke one of the own credentials',
  description: 'Binds at once and for good. Revoking twice changes nothing more.',
  access: 'tokens:write',
  params: ofCredential,
  answer: NO_CONTENT,
  handle: ({ caller, params, now, origin }, { change }) =>
    change(origin, async ({ transaction, record }) => {
      const { organization } = await requireOwn(transaction, caller, params.id)
      if (await markRevoked(transaction, params.id, { by: caller.subject, reason: null, at: now }))
        record({
          type: 'credential.revoked',
          organizationId: organization.id,
          subject: caller.subject,
          credentialId: params.id,
        })
    }),
})

export const tokenOperations = [list, show, revoke]

/** A credential of the caller's own; 404 for any other. */
async function requireOwn(db: Reader, caller: Caller, id: string): Promise<Standing> {
  const { owner, organization, credential } = caller.standing
  const standing = await findCredential(db, id, (found) =>
    owner
      ? found.owner?.id === owner.id && found.organization.id === organization.id
      : found.credential.id === credential.id,
  )
  if (!standing) throw new Problem('not_found')
  return standing
}
