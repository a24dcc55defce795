// What a verifier knows of its issuer, as JSON: kept where the service pleases and given to its next verifier, which then
// starts without network. There is no secret in it. Lists are believed by their signature, keys as far as the place where
// they were kept is.

import type { JSONWebKeySet } from 'jose'
import { boundMaxAge, readKeySet } from './fetch-jwks.ts'

/** Goes through JSON and back unchanged. */
export interface VerifierSnapshot {
  readonly version: 1
  readonly issuer: string
  /** Null while no keys are known. */
  readonly jwks: SnapshotKeys | null
  /** Status List Tokens, as they were signed. */
  readonly status_lists: readonly string[]
}

export interface SnapshotKeys extends JSONWebKeySet {
  readonly fetched_at: string
  readonly max_age_seconds: number
}

/** What of a snapshot was fit for use. */
export interface Hydration {
  readonly keys: boolean
  readonly statusLists: number
}

export interface KeptKeys {
  readonly jwks: JSONWebKeySet
  readonly fetchedAt: number
  readonly maxAgeSeconds: number
}

type Members = Readonly<Record<string, unknown>>

/** The keys and lists in what ought to be a snapshot of this issuer; nothing where it is none. */
export function readSnapshot(
  snapshot: unknown,
  issuer: string,
): { readonly keys: KeptKeys | undefined; readonly lists: readonly string[] } {
  const { version, issuer: named, jwks, status_lists: lists }: Members = isObject(snapshot) ? snapshot : {}
  if (version !== 1 || named !== issuer) return { keys: undefined, lists: [] }
  return {
    keys: isObject(jwks) ? readKeys(jwks) : undefined,
    lists: Array.isArray(lists) ? lists.filter((list) => typeof list === 'string') : [],
  }
}

function readKeys(kept: Members): KeptKeys | undefined {
  const { fetched_at: at, max_age_seconds: maxAgeSeconds, keys } = kept
  const fetchedAt = typeof at === 'string' ? Date.parse(at) : Number.NaN
  if (!Number.isFinite(fetchedAt) || typeof maxAgeSeconds !== 'number' || !(maxAgeSeconds >= 0))
    return undefined
  try {
    return { jwks: readKeySet({ keys }), fetchedAt, maxAgeSeconds: boundMaxAge(maxAgeSeconds) }
  } catch {
    return undefined
  }
}

const isObject = (value: unknown): value is Members => typeof value === 'object' && value !== null
