// Making key pairs, and sealing the private half as JWE (RFC 7516) under a key derived from the secret key.

import {
  CompactEncrypt,
  calculateJwkThumbprint,
  compactDecrypt,
  exportJWK,
  generateKeyPair,
  type JWK,
} from 'jose'
import type { SigningAlgorithm } from '../../protocol/access-token.ts'
import type { DerivedKeys } from '../secret/secret-keys.ts'
import type { SigningKeyRow } from './store.ts'

/** Members of a private JWK that must never be published (RFC 7518 section 6). */
const PRIVATE_MEMBERS = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'])

function toPublicJwk(privateJwk: JWK, kid: string, alg: SigningAlgorithm): Record<string, string> {
  const members = Object.entries(privateJwk).filter(
    (entry): entry is [string, string] => !PRIVATE_MEMBERS.has(entry[0]) && typeof entry[1] === 'string',
  )
  return { ...Object.fromEntries(members), kid, alg, use: 'sig' }
}

/** A new key that is published and signs from `now` on. */
export async function createSigningKey(
  alg: SigningAlgorithm,
  encryption: DerivedKeys,
  now: Date,
): Promise<SigningKeyRow> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true })
  const privateJwk = await exportJWK(privateKey)
  const kid = await calculateJwkThumbprint(privateJwk)
  const { id, bytes } = encryption.current
  const privateKeyJwe = await new CompactEncrypt(new TextEncoder().encode(JSON.stringify(privateJwk)))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: id })
    .encrypt(bytes)
  return {
    kid,
    alg,
    publicJwk: toPublicJwk(privateJwk, kid, alg),
    privateKeyJwe,
    publishedAt: now,
    activatesAt: now,
  }
}

/** The private JWK of a row. Throws when the secret key it was sealed with is not configured. */
export async function unsealPrivateKey(row: SigningKeyRow, encryption: DerivedKeys): Promise<JWK> {
  const { plaintext } = await compactDecrypt(
    row.privateKeyJwe,
    ({ kid = '' }) => encryption.require(kid).bytes,
    { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] },
  )
  const members = JSON.parse(new TextDecoder().decode(plaintext)) as JWK
  return { ...members, kid: row.kid, alg: row.alg, use: 'sig' }
}
