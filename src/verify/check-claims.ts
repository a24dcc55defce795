// The claims of an access token whose signature is good: RFC 9068 sections 2.2 and 4, RFC 7519 section 4.1.
// Pure: the clock is passed in. Knows neither keys nor scopes.

import type { AccessTokenClaims } from '../protocol/access-token.ts'
import { type JsonObject, parseJsonObject } from '../protocol/json-object.ts'
import { VerifyError } from './verify-error.ts'

/** Claims of an accepted token, frozen all the way down; claims beyond the typed ones are kept as they came. */
export type VerifiedClaims = AccessTokenClaims & Readonly<Record<string, unknown>>

/** What a service expects of a token. `audiences: null` switches the audience check off. */
export interface ExpectedClaims {
  readonly issuer: string
  readonly audiences: readonly string[] | null
  readonly clockToleranceSeconds: number
}

/** Checks a payload at the instant `now`, returns its claims frozen, throws `VerifyError` for the first wrong. */
export function checkClaims(payload: Uint8Array, expected: ExpectedClaims, now: Date): VerifiedClaims {
  const claims = parseClaims(payload)
  requireShape(claims)
  if (claims.iss !== expected.issuer) {
    throw new VerifyError('issuer_mismatch', 'The token is from another issuer')
  }
  requireAudience(claims.aud, expected.audiences)
  requireValidity(claims, expected.clockToleranceSeconds, now)
  return freezeDeeply(claims)
}

function parseClaims(payload: Uint8Array): JsonObject {
  const claims = parseJsonObject(payload)
  if (claims) return claims
  throw new VerifyError('token_malformed', 'The claims of the token are not a JSON object')
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
const isAudience = (value: unknown): boolean =>
  isText(value) || (Array.isArray(value) && value.length > 0 && value.every(isText))

// `1e999` parses as Infinity, which would never expire.
const isInstant = (value: unknown): value is number => Number.isFinite(value)

/** Claims no access token of ours is without. */
type RequiredClaim = {
  [Name in keyof AccessTokenClaims]-?: undefined extends AccessTokenClaims[Name] ? never : Name
}[keyof AccessTokenClaims]

const REQUIRED: Readonly<Record<RequiredClaim, (value: unknown) => boolean>> = {
  iss: isText,
  sub: isText,
  aud: isAudience,
  exp: isInstant,
  iat: isInstant,
  jti: isText,
  client_id: isText,
  org: isText,
  cred: isText,
}

const isStatus = (value: unknown): boolean => {
  const { idx, uri } = (value as AccessTokenClaims['status'] | null)?.status_list ?? {}
  return Number.isSafeInteger(idx) && Number(idx) >= 0 && isText(uri)
}

// Any other method of confirmation (RFC 7800 section 3) is one that nobody here would check.
const isConfirmation = (value: unknown): boolean => {
  const { jkt, ...others } = (value as Record<string, unknown> | null) ?? {}
  return typeof jkt === 'string' && /^[\w-]{43}$/.test(jkt) && Object.keys(others).length === 0
}

type OptionalClaim = 'scope' | 'authorization_details' | 'status' | 'cnf' | 'nbf'

const OPTIONAL: Readonly<Record<OptionalClaim, (value: unknown) => boolean>> = {
  scope: (value) => typeof value === 'string',
  authorization_details: Array.isArray,
  status: isStatus,
  cnf: isConfirmation,
  nbf: isInstant,
}

function requireShape(claims: JsonObject): asserts claims is VerifiedClaims {
  for (const [name, isValid] of Object.entries(REQUIRED)) {
    if (!Object.hasOwn(claims, name)) throw new VerifyError('claim_missing', `The token has no ${name} claim`)
    if (!isValid(claims[name])) throw invalidClaim(name)
  }
  for (const [name, isValid] of Object.entries(OPTIONAL)) {
    if (Object.hasOwn(claims, name) && !isValid(claims[name])) throw invalidClaim(name)
  }
}

const invalidClaim = (name: string): VerifyError =>
  new VerifyError('claim_invalid', `The ${name} claim of the token is not valid`)

function requireAudience(aud: string | readonly string[], accepted: readonly string[] | null): void {
  if (accepted === null) return
  const named = typeof aud === 'string' ? [aud] : aud
  if (!named.some((audience) => accepted.includes(audience))) {
    throw new VerifyError('audience_mismatch', 'The token is for another audience')
  }
}

/** Throws `VerifyError` when claims are not valid yet at the instant `now`, or no more. */
export function requireValidity(claims: VerifiedClaims, toleranceSeconds: number, now: Date): void {
  const nowSeconds = now.getTime() / 1000
  // Negated, so that a clock that answers NaN refuses instead of accepting.
  if (!(nowSeconds < claims.exp + toleranceSeconds)) {
    throw new VerifyError('token_expired', 'The token has expired')
  }
  const notBefore = claims['nbf']
  if (typeof notBefore === 'number' && !(nowSeconds >= notBefore - toleranceSeconds)) {
    throw new VerifyError('token_not_yet_valid', 'The token is not valid yet')
  }
}

function freezeDeeply<T extends object>(value: T): Readonly<T> {
  for (const member of Object.values(value)) {
    if (typeof member === 'object' && member !== null) freezeDeeply(member)
  }
  return Object.freeze(value)
}
