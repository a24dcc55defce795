// A Status List Token that was fetched: what it was signed with, and how long it serves.

import type { CryptoKey } from 'jose'
import type { JwtHeader } from './jwt-header.ts'
import type { Copy } from './kept-document.ts'
import type { StatusList } from './status-list.ts'

/** A list, and what it was signed with: one whose key was withdrawn holds no more. */
export interface SignedList extends StatusList {
  readonly jwt: string
  readonly header: JwtHeader
  readonly key: CryptoKey
}

const LEAST_FRESH_MS = 1_000
const MOST_FRESH_MS = 3_600_000

/**
 * How long a list serves that was fetched at that instant. Its `ttl` counts from `iat`, since half of it may have passed
 * in caches before it came, but not where clocks differ by more; its `exp` ends it in any case.
 */
export function dateCopy(list: SignedList, fetchedAt: number, maxStaleSeconds: number): Copy<SignedList> {
  const { issuedAt, expiresAt } = list
  const ttlMs = Math.max(LEAST_FRESH_MS, Math.min(list.ttlMs, MOST_FRESH_MS))
  const leftMs = Math.max(ttlMs / 2, Math.min(issuedAt + ttlMs - fetchedAt, ttlMs))
  const freshUntil = Math.min(fetchedAt + leftMs, expiresAt)
  const usableUntil = Math.min(Math.max(freshUntil, issuedAt + maxStaleSeconds * 1000), expiresAt)
  return { value: list, fetchedAt, freshUntil, usableUntil }
}
