// The issuer's JWK Set (RFC 7517 section 5), fetched and read. Remembers nothing.

import type { JSONWebKeySet, JWK } from 'jose'
import { fetchDocument, type Transport } from './fetch-document.ts'
import { isWellFormedKey } from './published-key.ts'

const MAX_JWKS_BYTES = 256 * 1024
const LEAST_AGE_SECONDS = 60
const MOST_AGE_SECONDS = 600

/** Where and how keys are fetched. */
export interface JwksSource extends Transport {
  readonly jwksUri: string
}

export interface FetchedJwks {
  readonly jwks: JSONWebKeySet
  /** How long it may be kept, by its Cache-Control within bounds (RFC 9111 section 5.2.2.1). */
  readonly maxAgeSeconds: number
}

/** Fetches the JWK Set, and throws when the issuer does not answer 200 with one in time. */
export async function fetchJwks({ jwksUri, ...transport }: JwksSource): Promise<FetchedJwks> {
  const accept = 'application/jwk-set+json, application/json'
  const { text, headers } = await fetchDocument({ url: jwksUri, accept, maxBytes: MAX_JWKS_BYTES }, transport)
  return { jwks: readKeySet(JSON.parse(text)), maxAgeSeconds: readMaxAge(headers.get('cache-control')) }
}

/** A key that was withdrawn goes on in a verifier for as long as this; a set asked for more often is a burden. */
export const boundMaxAge = (seconds: number): number =>
  Math.max(LEAST_AGE_SECONDS, Math.min(seconds, MOST_AGE_SECONDS))

function readMaxAge(cacheControl: string | null): number {
  const [, seconds] = /(?:^|[\s,])max-age=(\d{1,9})(?:$|[\s,])/i.exec(cacheControl ?? '') ?? []
  return boundMaxAge(Number(seconds ?? MOST_AGE_SECONDS))
}

/** Reads a JWK Set, leaving out keys that no token can name; throws for anything else. */
export function readKeySet(document: unknown): JSONWebKeySet {
  if (!isObject(document) || !Array.isArray(document['keys']) || !document['keys'].every(isObject)) {
    throw new Error('the JWKS endpoint answered something that is not a JWK Set')
  }
  return { keys: document['keys'].filter(isBoundToAlgorithm).filter(isWellFormedKey) }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A key serves exactly one algorithm (RFC 8725 section 3.1): an RSA key without `alg` would serve two. */
const isBoundToAlgorithm = (key: Record<string, unknown>): key is Record<string, unknown> & JWK =>
  typeof key['kty'] === 'string' && typeof key['kid'] === 'string' && typeof key['alg'] === 'string'
