// A credential as JSON (contract section 4). Never its value, its hash, or a part of either.

import { z } from 'zod'
import { displayPrefix } from '../../protocol/credential.ts'
import { findBlockingRule, toBlockJson } from '../credential/blocking-rule.ts'
import { expiryOf, type Standing } from '../credential/standing.ts'
import { statusDetailOf, statusOf } from '../credential/status.ts'
import { slug } from '../directory/schema.ts'
import { credentialName } from './credential-body.ts'
import { credentialId, instant, permissions, permittedActors, uuid } from './schema.ts'

const members = {
  id: credentialId.describe('Public id; the token claim `cred`'),
  kind: z.enum(['personal', 'organization']),
  name: credentialName,
  prefix: z.string().describe('The first 10 characters of the value, to recognize it by'),
  organization: slug,
  owner: uuid.nullable().describe('The user a PAT belongs to; null for an API key'),
  role: slug.nullable().describe('The role it acts with now'),
  permissions: permissions.nullable().describe('Chosen at creation; null: all of the role'),
  created_at: instant,
  expires_at: instant.nullable().describe('Agreed at creation; null: never'),
  effective_expires_at: instant.nullable().describe('The earliest of all limits in force now; null: never'),
  last_used_at: instant.nullable().describe('Null: never used. At most a minute behind'),
  last_used_ip: z.string().nullable(),
  status: z.enum(['active', 'expired', 'revoked', 'suspended', 'blocked_by_policy']),
  status_detail: z
    .string()
    .nullable()
    .describe(
      'Why the status is what it is, as a stable word, where there is more to say. On an active credential: ' +
        '`rotated` (a successor exists and the overlap runs), `predecessor_reused` (whoever used the predecessor ' +
        'after the overlap may have stolen it)',
    ),
  blocked_by: z
    .strictObject({
      rule: z.enum(['max_lifetime', 'idle_timeout']),
      level: z.enum(['platform', 'organization']).describe('Whose policy it is'),
      limit_seconds: z.int(),
    })
    .nullable()
    .describe('With the status `blocked_by_policy`: the rule that does'),
  allowed_cidrs: z.array(z.string()).nullable(),
  may_act: permittedActors.nullable().describe('Who may act for its subject; null: nobody'),
}

export const credentialView = z.strictObject(members).meta({ id: 'Credential' })

/** The one answer that shows a value. */
export const newCredentialView = z
  .strictObject({ ...members, token: z.string().describe('The value; shown once, kept nowhere') })
  .meta({ id: 'NewCredential' })

export function viewCredential(standing: Standing, now: Date): z.output<typeof credentialView> {
  const { credential, organization, owner, role } = standing
  const block = findBlockingRule(standing, now)
  return {
    id: credential.id,
    kind: credential.kind,
    name: credential.name,
    prefix: displayPrefix(credential.kind, credential.id),
    organization: organization.slug,
    owner: owner?.id ?? null,
    role: role?.name ?? null,
    permissions:
      credential.permissions?.map(({ audience, scopes }) => ({ audience, scopes: [...scopes] })) ?? null,
    created_at: credential.createdAt.toISOString(),
    expires_at: credential.expiresAt?.toISOString() ?? null,
    effective_expires_at: expiryOf(standing)?.at.toISOString() ?? null,
    last_used_at: credential.lastUsedAt?.toISOString() ?? null,
    last_used_ip: credential.lastUsedIp,
    status: statusOf(standing, now),
    status_detail: statusDetailOf(standing, now),
    blocked_by: block && toBlockJson(block),
    allowed_cidrs: credential.allowedCidrs && [...credential.allowedCidrs],
    may_act: credential.mayAct && [...credential.mayAct],
  }
}

/** What an update may change, which is what the version is of: a use of the credential is no new version. */
export const versionOfCredential = ({ id, name, status }: z.output<typeof credentialView>) => ({
  id,
  name,
  status,
})
