// A policy as the management API has it (contract section 4), and what the command line calls its fields.

import { formatDuration } from '../../protocol/duration.ts'
import type { JsonObject } from '../send-request.ts'

export interface Policy {
  readonly max_lifetime_seconds: number | null
  readonly default_lifetime_seconds: number | null
  readonly idle_timeout_seconds: number | null
  readonly access_token_max_ttl_seconds: number | null
  readonly max_active_tokens: number | null
  readonly applies_to: 'all' | 'new'
  readonly exempt_roles: readonly string[]
}

export type PolicyChanges = Partial<Policy>

/** Each field under the name of its option. */
export const FIELDS = {
  'max-lifetime': 'max_lifetime_seconds',
  'default-lifetime': 'default_lifetime_seconds',
  'idle-timeout': 'idle_timeout_seconds',
  'access-token-max-ttl': 'access_token_max_ttl_seconds',
  'max-active-tokens': 'max_active_tokens',
  'applies-to': 'applies_to',
  'exempt-role': 'exempt_roles',
} as const satisfies Record<string, keyof Policy>

export type FieldName = keyof typeof FIELDS

/** What stands for "no rule", and for no roles. */
export const NONE = 'none'

/** The policy that an answer holds among other members; `undefined` when it holds none. */
export function readPolicy(body: JsonObject): Policy | undefined {
  const policy = Object.fromEntries(Object.values(FIELDS).map((member) => [member, body[member]]))
  return isPolicy(policy) ? policy : undefined
}

function isPolicy(value: JsonObject): value is JsonObject & Policy {
  const isLimit = (member: unknown): boolean => member === null || Number.isSafeInteger(member)
  return (
    isLimit(value['max_lifetime_seconds']) &&
    isLimit(value['default_lifetime_seconds']) &&
    isLimit(value['idle_timeout_seconds']) &&
    isLimit(value['access_token_max_ttl_seconds']) &&
    isLimit(value['max_active_tokens']) &&
    (value['applies_to'] === 'all' || value['applies_to'] === 'new') &&
    Array.isArray(value['exempt_roles']) &&
    value['exempt_roles'].every((role) => typeof role === 'string')
  )
}

/** The value of a field as its option takes it. */
export const formatField = (policy: Policy, name: FieldName): string =>
  formatValue(FIELDS[name], policy[FIELDS[name]])

/** A value of the member `member`, likewise. */
export function formatValue(member: keyof Policy, value: Policy[keyof Policy]): string {
  if (value === null) return NONE
  if (typeof value === 'number') return member.endsWith('_seconds') ? formatDuration(value) : String(value)
  return typeof value === 'string' ? value : value.join(', ') || NONE
}

/** The fields that say something, in a line. */
export function describeRules(policy: Policy): string {
  const isSilent = (name: FieldName): boolean =>
    formatField(policy, name) === NONE || (name === 'applies-to' && policy.applies_to === 'all')
  const names = (Object.keys(FIELDS) as FieldName[]).filter((name) => !isSilent(name))
  return names.map((name) => `${name} ${formatField(policy, name)}`).join('; ')
}
