// A Status List Token with its signature: what it was signed with, and how long it serves.

import type { CryptoKey } from 'jose'
import { STATUS_LIST_TYP } from '../protocol/status-list.ts'
import { type JwtHeader, type JwtKind, readJwtHeader } from './jwt-header.ts'
import type { Copy } from './kept-document.ts'
import { type ExpectedList, readStatusList, type StatusList } from './status-list.ts'
import { verifySignature } from './verify-signature.ts'

/** A list, and what it was signed with: one whose key was withdrawn holds no more. */
export interface SignedList extends StatusList {
  readonly jwt: string
  readonly header: JwtHeader
  readonly key: CryptoKey
}

export type KeyFinder = (header: JwtHeader) => CryptoKey | Promise<CryptoKey>

const STATUS_LIST: JwtKind = { typ: STATUS_LIST_TYP, name: 'a status list' }
const LEAST_FRESH_MS = 1_000
const MOST_FRESH_MS = 3_600_000

/** Verifies a list at the instant `nowMs` with the key that `findKey` finds. Throws when it is not the one expected. */
export async function readSignedList(
  jwt: string,
  expected: ExpectedList,
  findKey: KeyFinder,
  nowMs: number,
): Promise<SignedList> {
  const header = readJwtHeader(jwt, STATUS_LIST)
  const key = await findKey(header)
  const list = await readStatusList(await verifySignature(jwt, header, key), expected, nowMs)
  return { ...list, jwt, header, key }
}

/**
 * How long a list serves that was fetched at that instant. Its `ttl` counts from `iat`, since half of it may have passed
 * in caches before it came, but not where clocks differ by more. Its `exp` ends it in any case, and so does its age: no
 * cache makes it younger.
 */
export function dateCopy(list: SignedList, fetchedAt: number, maxStaleSeconds: number): Copy<SignedList> {
  const { issuedAt, expiresAt } = list
  const ttlMs = Math.max(LEAST_FRESH_MS, Math.min(list.ttlMs, MOST_FRESH_MS))
  const leftMs = Math.max(ttlMs / 2, Math.min(issuedAt + ttlMs - fetchedAt, ttlMs))
  const usableUntil = Math.min(issuedAt + Math.max(ttlMs, maxStaleSeconds * 1000), expiresAt)
  return { value: list, fetchedAt, freshUntil: Math.min(fetchedAt + leftMs, usableUntil), usableUntil }
}
