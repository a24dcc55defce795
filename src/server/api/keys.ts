// `/organizations/{slug}/keys`: API keys. Each belongs to its organization and has a role of its own, so that nothing
// that becomes of whoever made it ends it.

import { z } from 'zod'
import { issueKey } from '../credential/issue.ts'
import type { Standing } from '../credential/standing.ts'
import { slug } from '../directory/schema.ts'
import { Problem } from '../http/problem.ts'
import type { Reader } from '../ledger/change.ts'
import { findBeyond } from './authority.ts'
import type { Caller } from './caller.ts'
import { keyBody, renameBody, rotateBody } from './credential-body.ts'
import {
  RENAME_PROBLEMS,
  REVOKE_PROBLEMS,
  ROTATE_PROBLEMS,
  rename,
  requireCredential,
  revoke,
  rotate,
  type Sought,
} from './credential-life.ts'
import { credentialPage, listCredentialPage } from './credential-page.ts'
import { credentialView, newCredentialView, versionOfCredential, viewCredential } from './credential-view.ts'
import { ISSUE_PROBLEMS, issuerOf, readTerms, showOnce, toIssueProblem } from './issue.ts'
import { requireGrantable } from './member-change.ts'
import { requireRotation } from './new-value.ts'
import { NO_CONTENT, operation } from './operation.ts'
import { pageQuery } from './page.ts'
import { holdOrganization, requireOrganization } from './reach.ts'
import { credentialId, slugParams } from './schema.ts'

const ofKey = z.object({ slug, id: credentialId })

const list = operation({
  id: 'listKeys',
  method: 'get',
  path: '/organizations/{slug}/keys',
  tag: 'API keys',
  summary: 'List the API keys of an organization',
  description: 'Oldest first, also those that do not work any more.',
  access: 'keys:read',
  params: slugParams,
  query: pageQuery,
  answer: credentialPage,
  handle: async (call, { db }) => {
    const { id: organizationId } = await requireOrganization(db, call.caller, call.params.slug)
    return listCredentialPage(db, { organizationId, kind: 'organization' }, call)
  },
})

const create = operation({
  id: 'createKey',
  method: 'post',
  path: '/organizations/{slug}/keys',
  tag: 'API keys',
  summary: 'Make an API key',
  description:
    'The value is shown once, in this answer. The key acts with its own role, as that is at each exchange, whatever ' +
    'becomes of its maker; the role may not go beyond what its maker may hand on.',
  access: 'keys:write',
  params: slugParams,
  body: keyBody,
  answer: { status: 201, description: 'The API key and its value', schema: newCredentialView },
  problems: ISSUE_PROBLEMS,
  handle: async ({ caller, params, body, now, origin }, { db, change, makeCredential, apiAudience }) => {
    await requireOrganization(db, caller, params.slug)
    const fresh = await makeCredential('organization')
    return showOnce(change, fresh, { origin, now }, async ({ transaction, record }) => {
      const { id: organizationId } = await holdOrganization(transaction, caller, params.slug)
      const role = await requireGrantable(transaction, caller, organizationId, body.role, apiAudience)
      const request = { ...readTerms(body, organizationId, now), role, issuer: issuerOf(caller) }
      const issued = await issueKey(transaction, fresh, request, now)
      if (!issued.ok) throw toIssueProblem(issued.error)
      const { id: keyId } = fresh.value
      record({ type: 'credential.issued', organizationId, subject: `key:${keyId}`, credentialId: keyId })
    })
  },
})

const show = operation({
  id: 'getKey',
  method: 'get',
  path: '/organizations/{slug}/keys/{id}',
  tag: 'API keys',
  summary: 'Read an API key',
  access: 'keys:read',
  params: ofKey,
  answer: { status: 200, description: 'The API key', schema: credentialView, version: versionOfCredential },
  handle: async ({ caller, params, now }, { db }) =>
    viewCredential(await requireCredential(db, await seekKey(db, caller, params)), now),
})

const update = operation({
  id: 'renameKey',
  method: 'patch',
  path: '/organizations/{slug}/keys/{id}',
  tag: 'API keys',
  summary: 'Rename an API key',
  access: 'keys:write',
  params: ofKey,
  body: renameBody,
  answer: {
    status: 200,
    description: 'The API key under its new name',
    schema: credentialView,
    version: versionOfCredential,
  },
  problems: RENAME_PROBLEMS,
  handle: async (call, dependencies) =>
    rename(call, await seekKey(dependencies.db, call.caller, call.params), dependencies),
})

const remove = operation({
  id: 'revokeKey',
  method: 'delete',
  path: '/organizations/{slug}/keys/{id}',
  tag: 'API keys',
  summary: 'Revoke an API key',
  description: 'Binds at once and for good. Revoking twice changes nothing more.',
  access: 'keys:write',
  params: ofKey,
  answer: NO_CONTENT,
  problems: REVOKE_PROBLEMS,
  handle: async (call, dependencies) =>
    revoke(call, await seekKey(dependencies.db, call.caller, call.params), dependencies),
})

const replace = operation({
  id: 'rotateKey',
  method: 'post',
  path: '/organizations/{slug}/keys/{id}/rotate',
  tag: 'API keys',
  summary: 'Rotate an API key',
  description:
    'Like rotating a credential of one’s own. Whoever sees the new value must be someone who could make this key, or ' +
    'the key itself by its value, as at `/tokens/{id}/rotate`. The successor never manages more than they do.',
  access: 'keys:write',
  params: ofKey,
  body: rotateBody,
  answer: { status: 201, description: 'The successor and its value', schema: newCredentialView },
  problems: ROTATE_PROBLEMS,
  handle: async (call, dependencies) => {
    const sought = await seekKey(dependencies.db, call.caller, call.params)
    const mayRotate = (key: Standing): void => requireKeyRotation(call.caller, key, dependencies.apiAudience)
    return rotate(call, sought, mayRotate, dependencies)
  },
})

export const keyOperations = [list, create, show, update, remove, replace]

/** The key of this id in the organization of this slug; 404 when the caller's rights do not reach that. */
async function seekKey(db: Reader, caller: Caller, { slug, id }: z.output<typeof ofKey>): Promise<Sought> {
  const organization = await requireOrganization(db, caller, slug)
  return {
    id,
    isVisible: (found) =>
      found.credential.kind === 'organization' && found.organization.id === organization.id,
  }
}

/**
 * 403 unless the caller could hand on what the key may do, or is that key. One whose role was deleted may do nothing.
 */
function requireKeyRotation(caller: Caller, { credential, role }: Standing, apiAudience: string): void {
  if (credential.id === caller.standing.credential.id) {
    requireRotation(caller, credential.id)
    return
  }
  const beyond = role && findBeyond(caller, role, apiAudience)
  if (beyond !== null) throw new Problem('forbidden', `The key has rights beyond yours: ${beyond}`)
}
