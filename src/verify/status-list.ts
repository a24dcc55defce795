// A Status List Token whose signature is good: draft-ietf-oauth-status-list-21 sections 5.1 and 8.3. Pure but for
// unpacking; the clock is passed in.

import { base64url } from 'jose'
import { type JsonObject, parseJsonObject } from '../protocol/json-object.ts'
import { ENTRIES_PER_LIST, STATUS, type StatusBits } from '../protocol/status-list.ts'
import { inflateBounded } from './bounded-body.ts'
import { VerifyError } from './verify-error.ts'

/** A list that holds. Instants are milliseconds since the epoch. */
export interface StatusList {
  readonly bits: StatusBits
  readonly bytes: Uint8Array
  readonly issuedAt: number
  /** Infinite for a list without `exp`. */
  readonly expiresAt: number
  /** How long its issuer wants it to be kept before a newer one is fetched. */
  readonly ttlMs: number
}

/** What a list has to be. */
export interface ExpectedList {
  readonly issuer: string
  readonly uri: string
  readonly clockToleranceSeconds: number
}

const DEFAULT_TTL_SECONDS = 60
/** By so much the clock of the issuer may be ahead of ours: a list of the far future would never be replaced. */
export const MAX_AHEAD_MS = 60_000
/** 2^20 entries of eight bits. */
const MAX_LIST_BYTES = ENTRIES_PER_LIST

/** Reads a list at the instant `nowMs`. Throws when it is not the one expected, or does not hold. */
export async function readStatusList(
  payload: Uint8Array,
  { issuer, uri, clockToleranceSeconds }: ExpectedList,
  nowMs: number,
): Promise<StatusList> {
  const { iss, sub, iat, exp, ttl = DEFAULT_TTL_SECONDS, status_list: packed } = parseClaims(payload)
  if (sub !== uri) throw new Error('the status list is another one')
  if (iss !== undefined && iss !== issuer) throw new Error('the status list is from another issuer')
  if (!isNumber(iat) || !(iat * 1000 <= nowMs + MAX_AHEAD_MS)) throw invalidClaim('iat')
  if (exp !== undefined && !isNumber(exp)) throw invalidClaim('exp')
  if (!isNumber(ttl) || ttl <= 0) throw invalidClaim('ttl')
  if (!isObject(packed) || !isBits(packed['bits']) || typeof packed['lst'] !== 'string') {
    throw invalidClaim('status_list')
  }
  const expiresAt = exp === undefined ? Number.POSITIVE_INFINITY : (exp + clockToleranceSeconds) * 1000
  if (!(nowMs < expiresAt)) throw new Error('the status list has expired')
  const bytes = await inflateBounded(new Uint8Array(base64url.decode(packed['lst'])), MAX_LIST_BYTES)
  return { bits: packed['bits'], bytes, issuedAt: iat * 1000, expiresAt, ttlMs: ttl * 1000 }
}

/** The status at an index, from the least significant bits of a byte on; `undefined` beyond the list. */
export function readStatus({ bits, bytes }: StatusList, index: number): number | undefined {
  const perByte = 8 / bits
  const byte = bytes[Math.floor(index / perByte)]
  return byte === undefined ? undefined : (byte >> ((index % perByte) * bits)) & (2 ** bits - 1)
}

function parseClaims(payload: Uint8Array): JsonObject {
  const claims = parseJsonObject(payload)
  if (!claims) throw new Error('the claims of the status list are not a JSON object')
  return claims
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isNumber = (value: unknown): value is number => Number.isFinite(value)

const isBits = (value: unknown): value is StatusBits => [1, 2, 4, 8].some((bits) => bits === value)

const invalidClaim = (name: string): Error => new Error(`the ${name} claim of the status list is not valid`)

/** Throws `VerifyError` unless the status at an index is VALID (section 7.1). */
export function requireValidStatus(list: StatusList, idx: number): void {
  const status = readStatus(list, idx)
  if (status === STATUS.valid) return
  // Section 8.3: of an index beyond the list nothing is known.
  if (status === undefined)
    throw new VerifyError('claim_invalid', 'The status claim of the token is not valid')
  throw status === STATUS.suspended
    ? new VerifyError('token_suspended', 'The credential behind the token is suspended')
    : new VerifyError('token_revoked', 'The credential behind the token was revoked')
}
