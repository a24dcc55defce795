// `/tokens`: a caller's own credentials, of the organization that the credential they call with is bound to. Whatever
// else there is does not exist. What an API key owns is itself.

import { z } from 'zod'
import { listOrganizationsOf } from '../credential/owner-store.ts'
import { Problem } from '../http/problem.ts'
import type { Reader } from '../ledger/change.ts'
import type { Caller, Exempt } from './caller.ts'
import { patBody, renameBody, rotateBody } from './credential-body.ts'
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
import { credentialPage, listCredentialPage, toCredentialPage } from './credential-page.ts'
import { credentialView, newCredentialView, versionOfCredential, viewCredential } from './credential-view.ts'
import { ISSUE_PROBLEMS, issueFor } from './issue.ts'
import { isItself, requireRotation, requireSignIn } from './new-value.ts'
import { NO_CONTENT, operation } from './operation.ts'
import { pageQuery } from './page.ts'
import { credentialId } from './schema.ts'

const ofCredential = z.object({ id: credentialId })

/** However narrow a credential is, whoever holds its value may see it, put another in its place, and end it. */
const exempt: Exempt = (caller, { id = '' }) => isItself(caller, id)
const EXEMPT = 'A credential needs no scope for itself, when its value is presented.'

const list = operation({
  id: 'listTokens',
  method: 'get',
  path: '/tokens',
  tag: 'Tokens',
  summary: 'List own credentials',
  description: 'Those of the organization that the calling credential is bound to, oldest first.',
  access: 'tokens:read',
  query: pageQuery,
  answer: credentialPage,
  handle: async (call, { db }) => {
    const { owner, organization } = call.caller.standing
    return owner
      ? listCredentialPage(db, { organizationId: organization.id, ownerId: owner.id }, call)
      : toCredentialPage([call.caller.standing], call)
  },
})

const create = operation({
  id: 'createToken',
  method: 'post',
  path: '/tokens',
  tag: 'Tokens',
  summary: 'Make a PAT for oneself',
  description:
    'Takes a person who signed in: a credential makes no credentials, and neither does an access token. The value is ' +
    'shown once, in this answer.',
  access: 'tokens:write',
  body: patBody,
  answer: { status: 201, description: 'The PAT and its value', schema: newCredentialView },
  problems: [...ISSUE_PROBLEMS, 'not_found'],
  handle: async (call, dependencies) => {
    const { caller, body } = call
    requireSignIn(caller)
    const { owner } = caller.standing
    if (!owner) throw new Problem('forbidden', 'An API key has no PATs')
    const resolve = async (db: Reader) => ({
      organizationId: await resolveOwn(db, caller, owner.id, body.organization),
      issuer: null,
    })
    return issueFor(call, owner.id, resolve, dependencies)
  },
})

const show = operation({
  id: 'getToken',
  method: 'get',
  path: '/tokens/{id}',
  tag: 'Tokens',
  summary: 'Read one of the own credentials',
  description: EXEMPT,
  access: 'tokens:read',
  exempt,
  params: ofCredential,
  answer: {
    status: 200,
    description: 'The credential',
    schema: credentialView,
    version: versionOfCredential,
  },
  handle: async ({ caller, params, now }, { db }) =>
    viewCredential(await requireCredential(db, ownOf(caller, params.id)), now),
})

const update = operation({
  id: 'renameToken',
  method: 'patch',
  path: '/tokens/{id}',
  tag: 'Tokens',
  summary: 'Rename one of the own credentials',
  access: 'tokens:write',
  params: ofCredential,
  body: renameBody,
  answer: {
    status: 200,
    description: 'The credential under its new name',
    schema: credentialView,
    version: versionOfCredential,
  },
  problems: RENAME_PROBLEMS,
  handle: (call, dependencies) => rename(call, ownOf(call.caller, call.params.id), dependencies),
})

const remove = operation({
  id: 'revokeToken',
  method: 'delete',
  path: '/tokens/{id}',
  tag: 'Tokens',
  summary: 'Revoke one of the own credentials',
  description: `Binds at once and for good. Revoking twice changes nothing more. ${EXEMPT}`,
  access: 'tokens:write',
  exempt,
  params: ofCredential,
  answer: NO_CONTENT,
  problems: REVOKE_PROBLEMS,
  handle: (call, dependencies) => revoke(call, ownOf(call.caller, call.params.id), dependencies),
})

const replace = operation({
  id: 'rotateToken',
  method: 'post',
  path: '/tokens/{id}/rotate',
  tag: 'Tokens',
  summary: 'Rotate a credential',
  description:
    'A credential rotates itself, by its value; any other one takes a person who signed in. The successor has the ' +
    'same name, rights and length of life, or a shorter one if given; its value is shown once, in this answer. ' +
    'The old value works on for `overlap_seconds`. Whoever presents it later flags the successor ' +
    `(\`predecessor_reused\`), or ends it, as the server is configured. ${EXEMPT}`,
  access: 'tokens:write',
  exempt,
  params: ofCredential,
  body: rotateBody,
  answer: { status: 201, description: 'The successor and its value', schema: newCredentialView },
  problems: ROTATE_PROBLEMS,
  handle: (call, dependencies) => {
    const { caller, params } = call
    const mayRotate = (): void => requireRotation(caller, params.id)
    return rotate(call, ownOf(caller, params.id), mayRotate, dependencies)
  },
})

export const tokenOperations = [list, create, show, update, remove, replace]

/** The credential of this id, if it is one of the caller's own. */
function ownOf({ standing: { owner, organization, credential } }: Caller, id: string): Sought {
  return {
    id,
    isVisible: (found) =>
      owner
        ? found.owner?.id === owner.id && found.organization.id === organization.id
        : found.credential.id === credential.id,
  }
}

/** Id of the organization of this slug, to which the caller belongs, or of the one they call from. */
async function resolveOwn(
  db: Reader,
  { standing: { organization } }: Caller,
  ownerId: string,
  slug: string | undefined,
): Promise<string> {
  if (slug === undefined || slug === organization.slug) return organization.id
  const other = (await listOrganizationsOf(db, ownerId)).find((one) => one.slug === slug)
  if (!other) throw new Problem('not_found', 'You are not a member of this organization')
  return other.id
}
