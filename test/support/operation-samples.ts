// Requests for every operation of the management API, made from its own description, so that tests which attack them
// all meet new ones without being told.

import { z } from 'zod'
import type { Operation } from '../../src/server/api/operation.ts'
import { API } from './acme.ts'

/** The objects that requests are about. */
export interface Targets {
  readonly slug: string
  readonly userId: string
  readonly credentialId: string
  readonly keyId: string
  readonly role: string
  readonly resourceServerId: string
  readonly clientId: string
  readonly kid: string
}

/** The value of each parameter of the operation's path, by its name. */
export function sampleParams({ path, params }: Operation, targets: Targets): Record<string, string> {
  const { slug, userId, credentialId, keyId, role, resourceServerId, clientId, kid } = targets
  const isKey = path.includes('/keys/')
  const id = path.startsWith('/resource-servers/') ? resourceServerId : isKey ? keyId : credentialId
  const known: Record<string, string> = {
    slug,
    user_id: userId,
    id,
    name: role,
    client_id: clientId,
    kid,
    number: '1',
  }
  const names = Object.keys(params?.shape ?? {})
  for (const name of names) if (!known[name]) throw new Error(`nothing is known of the parameter ${name}`)
  return Object.fromEntries(names.map((name) => [name, known[name] ?? '']))
}

/** The path with these values in it, as they are. */
export const toPath = ({ path }: Operation, values: Readonly<Record<string, string>>): string =>
  path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '')

interface JsonSchema {
  readonly properties?: Record<string, unknown>
  readonly required?: readonly string[]
  readonly oneOf?: readonly JsonSchema[]
  readonly anyOf?: readonly JsonSchema[]
}

/** The members a body may have, with those it must have; of several shapes the first counts for what it must. */
export function describeBody({ body }: Operation): { members: string[]; required: readonly string[] } {
  if (!body) return { members: [], required: [] }
  const schema = z.toJSONSchema(body, { io: 'input', unrepresentable: 'any' }) as JsonSchema
  const shapes = [schema, ...(schema.oneOf ?? []), ...(schema.anyOf ?? [])]
  const members = new Set(shapes.flatMap(({ properties }) => Object.keys(properties ?? {})))
  if (members.size === 0) throw new Error('the body has no members')
  return { members: [...members], required: shapes.flatMap(({ required }) => required ?? []) }
}

/** A body that is valid but for what it is about. One word means one thing, so a member's name says what it takes. */
export function sampleBody(operation: Operation, targets: Targets): Record<string, unknown> {
  const known: Record<string, unknown> = {
    name: 'sample',
    slug: 'sample',
    email: 'sample@acme.test',
    user_id: targets.userId,
    role: targets.role,
    permissions: [{ audience: API, scopes: ['models:read'] }],
    audience: 'https://sample.example.com',
    scopes: { 'a:read': 'Read' },
    client_id: 'sample',
    token_endpoint_auth_method: 'none',
    // Nothing is so old: who revokes all of it revokes nothing.
    created_before: '2000-01-01T00:00:00Z',
    credential: targets.credentialId,
    credentials: ['sample'],
    max_lifetime_seconds: null,
    default_lifetime_seconds: null,
    idle_timeout_seconds: null,
    access_token_max_ttl_seconds: 600,
    max_active_tokens: 10,
    applies_to: 'all',
    exempt_roles: [],
  }
  // Only one of these two may stand there.
  const { members } = describeBody(operation)
  const names = members.filter((name) => name in known && !(name === 'email' && members.includes('user_id')))
  return Object.fromEntries(names.map((name) => [name, known[name]]))
}
