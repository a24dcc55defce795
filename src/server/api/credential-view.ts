// A credential as JSON (contract section 4). Never its value, its hash, or a part of either.

import { displayPrefix } from '../../protocol/credential.ts'
import { expiryOf, type Standing, statusOf } from '../credential/standing.ts'

export function viewCredential(standing: Standing, now: Date) {
  const { credential, organization, owner } = standing
  return {
    id: credential.id,
    kind: credential.kind,
    name: credential.name,
    prefix: displayPrefix(credential.kind, credential.id),
    organization: organization.slug,
    owner: owner?.id ?? null,
    permissions: credential.permissions,
    created_at: credential.createdAt.toISOString(),
    expires_at: credential.expiresAt?.toISOString() ?? null,
    effective_expires_at: expiryOf(standing)?.at.toISOString() ?? null,
    last_used_at: credential.lastUsedAt?.toISOString() ?? null,
    last_used_ip: credential.lastUsedIp,
    status: statusOf(standing, now),
    allowed_cidrs: credential.allowedCidrs,
  }
}
