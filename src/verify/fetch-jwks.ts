// One request for the issuer's JWK Set (RFC 7517 section 5), bounded in time and size, redirects refused.
// Remembers nothing.

import type { JSONWebKeySet, JWK } from 'jose'
import { readBoundedText } from './bounded-body.ts'

/** The part of `fetch` this library uses. */
export type JwksFetch = (url: string, init: RequestInit) => Promise<Response>

const MAX_JWKS_BYTES = 256 * 1024

/** Where and how keys are fetched. */
export interface JwksSource {
  readonly jwksUri: string
  readonly fetch: JwksFetch
}

/** Fetches the JWK Set, and throws when the issuer does not answer 200 with one within `timeoutMs`. */
export async function fetchJwks({ jwksUri, fetch }: JwksSource, timeoutMs: number): Promise<JSONWebKeySet> {
  const response = await fetch(jwksUri, {
    headers: { accept: 'application/jwk-set+json, application/json' },
    // Keys come from the one place they were configured to come from.
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
  })
  if (response.status !== 200 || response.redirected) {
    await response.body?.cancel()
    throw new Error(
      `the JWKS endpoint answered ${response.redirected ? 'after a redirect' : response.status}`,
    )
  }
  return readKeySet(JSON.parse(await readBoundedText(response, MAX_JWKS_BYTES)))
}

function readKeySet(document: unknown): JSONWebKeySet {
  if (!isObject(document) || !Array.isArray(document['keys']) || !document['keys'].every(isObject)) {
    throw new Error('the JWKS endpoint answered something that is not a JWK Set')
  }
  return { keys: document['keys'].filter(isBoundToAlgorithm) }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A key serves exactly one algorithm (RFC 8725 section 3.1): an RSA key without `alg` would serve two. */
const isBoundToAlgorithm = (key: Record<string, unknown>): key is Record<string, unknown> & JWK =>
  typeof key['kty'] === 'string' && typeof key['kid'] === 'string' && typeof key['alg'] === 'string'
