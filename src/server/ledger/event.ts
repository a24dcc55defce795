// What an audit record says. One per attempt that reached a decision; it never holds a secret or part of one.

/** What changes the directory or a credential. */
export type ChangeEventType =
  | `organization.${'created' | 'updated' | 'deleted'}`
  | `user.${'created' | 'updated' | 'suspended' | 'restored' | 'deleted'}`
  | `member.${'added' | 'changed' | 'removed'}`
  | `role.${'created' | 'updated' | 'deleted'}`
  | `resource_server.${'created' | 'updated' | 'deleted'}`
  | `client.${'created' | 'updated' | 'deleted'}`
  | `credential.${'issued' | 'renamed' | 'rotated' | 'revoked'}`

export type AuditEventType =
  | 'exchange.granted'
  | 'exchange.refused'
  | 'api.refused'
  | ChangeEventType
  | 'credential.reuse_detected'
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
  /** What was changed, as `noun:name`, where that is not a credential. */
  readonly target?: string | undefined
  readonly audiences?: readonly string[]
  readonly scopes?: readonly string[]
  /** `jti` of the token that was issued. */
  readonly tokenId?: string
  readonly ip?: string
  readonly userAgent?: string | undefined
  readonly requestId?: string
  readonly detail?: Readonly<Record<string, unknown>>
}
