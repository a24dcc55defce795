// A JWK Set that a client published (RFC 7517 section 5), as the keys it may sign with.

import { isPrivateJwk, MAX_CLIENT_KEYS, publicJwk } from '../directory/schema.ts'

export interface KeySet {
  readonly keys: readonly Readonly<Record<string, unknown>>[]
}

const KEY_TYPES = ['EC', 'OKP', 'RSA']
/** The rest, such as certificates, is not looked at, and so not kept. */
const MEMBERS = ['kty', 'kid', 'alg', 'use', 'key_ops', 'crv', 'x', 'y', 'n', 'e']

/**
 * The public keys in `text`. Keys of a kind nobody here understands are passed over; a set with a private or symmetric key
 * counts for nothing, since whoever read it has that key too. Throws when no key is left.
 */
export function readKeySet(text: string): KeySet {
  const { keys } = (parseJson(text) ?? {}) as { keys?: unknown }
  if (!Array.isArray(keys) || !keys.every(isObject)) throw new Error('the answer is no JWK Set')
  if (keys.length > MAX_CLIENT_KEYS) throw new Error(`the JWK Set has more than ${MAX_CLIENT_KEYS} keys`)
  if (keys.some(isPrivateJwk)) throw new Error('the JWK Set has a private or symmetric key')
  const usable = keys.flatMap((key) => {
    const parsed = publicJwk.safeParse(pickMembers(key))
    return parsed.success && KEY_TYPES.includes(String(key['kty'])) ? [parsed.data] : []
  })
  if (usable.length === 0) throw new Error('the JWK Set has no public key of a known type')
  return { keys: usable }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Its own message quotes the text.
    throw new Error('the answer is no JSON')
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const pickMembers = (key: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(MEMBERS.filter((name) => Object.hasOwn(key, name)).map((name) => [name, key[name]]))
