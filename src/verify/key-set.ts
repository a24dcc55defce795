// A JWK Set whose keys are imported once (RFC 7517): what a signature is checked with, by algorithm and key id. Which
// keys are usable for which algorithm, jose decides.

import { type CryptoKey, createLocalJWKSet, errors, type JSONWebKeySet, type JWK } from 'jose'
import { SIGNING_ALGORITHMS } from '../protocol/access-token.ts'
import type { JwtHeader } from './jwt-header.ts'

interface ImportedKey {
  /** What was published, so that the same key stays the same object for as long as it is. */
  readonly text: string
  /** `undefined`: published, and not usable. */
  readonly key: CryptoKey | undefined
}

export interface KeySet {
  readonly jwks: JSONWebKeySet
  readonly keys: ReadonlyMap<string, ImportedKey>
}

/** Imports what is published; keys that stood in `previous` stay the objects they are there. */
export async function importKeySet(jwks: JSONWebKeySet, previous?: KeySet): Promise<KeySet> {
  const find = createLocalJWKSet(jwks)
  const imported = jwks.keys.filter(isForSigning).map(async (jwk) => {
    const [name, text] = [nameKey(jwk), JSON.stringify(jwk)]
    const known = previous?.keys.get(name)
    const entry = known?.text === text ? known : await importKey(jwk, text, find)
    return entry && ([name, entry] as const)
  })
  return { jwks, keys: new Map((await Promise.all(imported)).filter((entry) => entry !== undefined)) }
}

/** The key a header names: `undefined` when there is none, `null` when there is and it cannot be used. */
export function selectKey({ keys }: KeySet, header: JwtHeader): CryptoKey | null | undefined {
  const entry = keys.get(nameKey(header))
  return entry && (entry.key ?? null)
}

type NamedKey = JWK & JwtHeader

const isForSigning = (jwk: JWK): jwk is NamedKey => SIGNING_ALGORITHMS.some((alg) => alg === jwk.alg)

const nameKey = ({ alg, kid }: JwtHeader): string => `${alg} ${kid}`

/** `undefined` for what is published for another use. */
async function importKey(
  { alg, kid }: NamedKey,
  text: string,
  find: ReturnType<typeof createLocalJWKSet>,
): Promise<ImportedKey | undefined> {
  try {
    return { text, key: await find({ alg, kid }) }
  } catch (error) {
    return error instanceof errors.JWKSNoMatchingKey ? undefined : { text, key: undefined }
  }
}
