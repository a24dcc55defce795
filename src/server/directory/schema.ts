// What the directory's names and values look like, wherever they come from: a declarative file or the management API.

import { createPublicKey } from 'node:crypto'
import { z } from 'zod'
import { redactCredentials } from '../../protocol/credential.ts'
import { isConcreteScope, isGrantableScope } from '../../protocol/scope.ts'

/** Control characters, line separators, and what turns the direction of the text around it (Unicode UAX #9). */
const DECEPTIVE = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u

const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u

function findNameProblem(name: string, most: number): string | undefined {
  const length = Array.from(name).length
  if (length < 1 || length > most) return `must have 1 to ${most} characters`
  if (!name.isWellFormed()) return 'must be well-formed Unicode'
  if (DECEPTIVE.test(name)) return 'must not hold control characters, line breaks or text direction marks'
  if (name !== name.trim()) return 'must not begin or end with a blank'
  if (!VISIBLE.test(name)) return 'must have a visible character'
  return holdsNoCredential(name) ? undefined : 'must not hold a credential'
}

const holdsNoCredential = (text: string): boolean => redactCredentials(text) === text

/** A name for people: kept as written or refused, never mended. Characters are code points, as Postgres counts. */
export const humanName = (most: number) =>
  z
    .string()
    .superRefine((name, context) => {
      const message = findNameProblem(name, most)
      if (message !== undefined) context.addIssue({ code: 'custom', message })
    })
    .meta({ minLength: 1, maxLength: most })

export const slug = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, {
  error: 'must be 1 to 63 lower-case letters, digits and hyphens, without a hyphen at either end',
})
export const displayName = humanName(200)

export const isDistinct = (values: readonly string[]): boolean => new Set(values).size === values.length

/** Names of roles that a policy spares. */
export const exemptRoles = z.array(slug).max(50).refine(isDistinct, { error: 'must name each role once' })

export const email = z.email().max(254).refine(holdsNoCredential, { error: 'must not hold a credential' })
export const audience = z
  .string()
  .min(1)
  .max(500)
  .regex(/^[\x21-\x7e]+$/, { error: 'must be printable ASCII without blanks' })

/** Every key a client has may be tried at each of its requests. */
export const MAX_CLIENT_KEYS = 32

/** Members of a private or symmetric key (RFC 7518 section 6); any one of them gives an RSA key away. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

export const isPrivateJwk = (jwk: Record<string, unknown>): boolean =>
  PRIVATE_MEMBERS.some((member) => Object.hasOwn(jwk, member))

function isPublicJwk(jwk: Record<string, unknown>): boolean {
  if (isPrivateJwk(jwk)) return false
  try {
    createPublicKey({ key: jwk, format: 'jwk' })
    return true
  } catch {
    return false
  }
}

// The patterns are for the JSON schema alone, which cannot call a function.
export const concreteScope = z
  .string()
  .max(200)
  .refine(isConcreteScope, { error: 'must be a scope without blanks, quotes or wildcards' })
  .meta({ pattern: '^[\\x21\\x23-\\x29\\x2b-\\x5b\\x5d-\\x7e]+$' })
export const grantableScope = z
  .string()
  .max(200)
  .refine(isGrantableScope, {
    error: 'must be a scope; a wildcard stands for a whole type or a whole action',
  })
  .meta({ pattern: '^[\\x21\\x23-\\x5b\\x5d-\\x7e]+$' })

/** Members with a text, a plain value or a list of them, as RFC 7517 has it; text that Postgres takes as jsonb. */
const isPlainJwk = (jwk: Record<string, unknown>): boolean =>
  Object.entries(jwk)
    .flat(2)
    .every((part) =>
      typeof part === 'string' ? isStorable(part) : part === null || typeof part !== 'object',
    )

const isStorable = (text: string): boolean =>
  text.isWellFormed() && !text.includes('\0') && holdsNoCredential(text)

/** Text of several lines, of which nothing is asked but that Postgres takes it. */
export const longText = (most: number) =>
  z.string().max(most).refine(isStorable, {
    error: 'must be well-formed Unicode without U+0000, and hold no credential',
  })

/** What every key says in the same way, if it does (RFC 7517 section 4). */
const isWellDescribed = ({ use, alg, kid, key_ops }: Record<string, unknown>): boolean =>
  [use, alg, kid].every((text) => text === undefined || (typeof text === 'string' && text !== '')) &&
  (key_ops === undefined || Array.isArray(key_ops))

export const publicJwk = z
  .record(z.string(), z.unknown())
  .refine(isPublicJwk, {
    error: 'must be a public key; a private or symmetric key must never leave its client',
  })
  .refine(isPlainJwk, { error: 'must hold nothing but well-formed text, plain values and lists of them' })
  .refine(isWellDescribed, {
    error: 'must have text in use, alg and kid, and a list in key_ops, if it has them',
  })
export const jwks = z.strictObject({ keys: z.array(publicJwk).min(1).max(MAX_CLIENT_KEYS) })

/** Printable, and without what is for browsers or secret. Where it leads is judged at each fetch. */
function isJwksUri(text: string): boolean {
  const url = URL.parse(text)
  if (url === null || !/^[\x21-\x7e]+$/.test(text) || text.includes('#') || !holdsNoCredential(text))
    return false
  const isLoopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)
  const isSecure = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback)
  return isSecure && url.username === '' && url.password === ''
}

export const jwksUri = z
  .string()
  .max(500)
  .refine(isJwksUri, {
    error: 'must be an https URL without user name, password and fragment; http is for this machine alone',
  })
  .meta({ pattern: '^https?://[^#\\s]+$' })
  .describe('An https URL at which the client publishes its keys')

export const clientId = z.string().regex(/^[\x21-\x7e]{1,200}$/, {
  error: 'must be 1 to 200 printable ASCII characters without blanks',
})

/** What the management API makes clients of: ids that need no escaping in a path, and mean no other one. */
export const newClientId = z
  .string()
  .regex(/^(?!\.{1,2}$)[A-Za-z0-9._~-]{1,200}$/, {
    error: 'must be 1 to 200 letters, digits, dots, hyphens, underscores and tildes, and neither . nor ..',
  })
  .refine(holdsNoCredential, { error: 'must not hold a credential' })
