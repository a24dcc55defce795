// The issuer's JWK Set (RFC 7517 section 5), fetched and read. Remembers nothing.

import type { JSONWebKeySet, JWK } from 'jose'
import { fetchDocument, type Transport } from './fetch-document.ts'

const MAX_JWKS_BYTES = 256 * 1024

/** Where and how keys are fetched. */
export interface JwksSource extends Transport {
  readonly jwksUri: string
}

/** Fetches the JWK Set, and throws when the issuer does not answer 200 with one in time. */
export async function fetchJwks({ jwksUri, ...transport }: JwksSource): Promise<JSONWebKeySet> {
  const accept = 'application/jwk-set+json, application/json'
  const { text } = await fetchDocument({ url: jwksUri, accept, maxBytes: MAX_JWKS_BYTES }, transport)
  return readKeySet(JSON.parse(text))
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
