// What an audit record says. One per attempt that reached a decision; it never holds a secret or part of one.

export type AuditEventType =
  | 'exchange.granted'
  | 'exchange.refused'
  | 'credential.issued'
  | 'credential.revoked'
  | 'platform.bootstrapped'
  | 'configuration.applied'

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
  readonly audiences?: readonly string[]
  readonly scopes?: readonly string[]
  /** `jti` of the token that was issued. */
  readonly tokenId?: string
  readonly ip?: string
  readonly userAgent?: string | undefined
  readonly requestId?: string
  readonly detail?: Readonly<Record<string, unknown>>
}
