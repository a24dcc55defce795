// What an audit record says. One per attempt that reached a decision; it never holds a secret or part of one.

/** What changes the directory or a credential. */
const CHANGE_EVENT_TYPES = [
  'organization.created',
  'organization.updated',
  'organization.deleted',
  'user.created',
  'user.updated',
  'user.suspended',
  'user.restored',
  'user.deleted',
  'member.added',
  'member.changed',
  'member.removed',
  'role.created',
  'role.updated',
  'role.deleted',
  'resource_server.created',
  'resource_server.updated',
  'resource_server.deleted',
  'client.created',
  'client.updated',
  'client.secret_rotated',
  'client.deleted',
  'credential.issued',
  'credential.renamed',
  'credential.rotated',
  'credential.revoked',
  'token.revoked',
  'policy.changed',
  'signing_key.rotated',
  'signing_key.withdrawn',
  'notice.retried',
] as const

/** What went wrong for somebody; everything else is a success. */
export const FAILURE_EVENT_TYPES = ['exchange.refused', 'api.refused', 'credential.reuse_detected'] as const

/** Every type of record there is. */
export const AUDIT_EVENT_TYPES = [
  'exchange.granted',
  ...FAILURE_EVENT_TYPES,
  ...CHANGE_EVENT_TYPES,
  'platform.bootstrapped',
  'configuration.applied',
] as const

export type ChangeEventType = (typeof CHANGE_EVENT_TYPES)[number]
export type AuditEventType = (typeof AUDIT_EVENT_TYPES)[number]

/** How what a record tells of ended. */
export type Outcome = 'success' | 'failure'

export interface AuditEvent {
  readonly type: AuditEventType
  readonly occurredAt: Date
  /** The true cause of a refusal. */
  readonly reason?: string
  readonly organizationId?: string | undefined
  readonly subject?: string | undefined
  readonly credentialId?: string | undefined
  readonly clientId?: string | undefined
  /** Who did it, where that is not the subject. */
  readonly actor?: string | undefined
  /** What was changed, as `noun:name`, where that is not a credential. */
  readonly target?: string | undefined
  readonly audiences?: readonly string[]
  readonly scopes?: readonly string[]
  /** `jti` of the token that was issued, or revoked. */
  readonly tokenId?: string
  readonly ip?: string
  readonly userAgent?: string | undefined
  readonly requestId?: string
  readonly detail?: Readonly<Record<string, unknown>>
}
