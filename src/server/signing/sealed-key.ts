// Making key pairs, and sealing the private half as JWE (RFC 7516) under a key derived from the secret key.

import {
  CompactEncrypt,
  calculateJwkThumbprint,
  compactDecrypt,
  decodeProtectedHeader,
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

/** A new key, published from `publishedAt` and signing from `activatesAt` on. */
export async function createSigningKey(
  alg: SigningAlgorithm,
  encryption: DerivedKeys,
  { publishedAt, activatesAt }: Pick<SigningKeyRow, 'publishedAt' | 'activatesAt'>,
): Promise<SigningKeyRow> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true })
  const privateJwk = await exportJWK(privateKey)
  const kid = await calculateJwkThumbprint(privateJwk)
  return {
    kid,
    alg,
    publicJwk: toPublicJwk(privateJwk, kid, alg),
    privateKeyJwe: await seal(new TextEncoder().encode(JSON.stringify(privateJwk)), encryption),
    publishedAt,
    activatesAt,
    retiresAt: null,
    goneAt: null,
    withdrawnAt: null,
  }
}

function seal(plaintext: Uint8Array, { current: { id, bytes } }: DerivedKeys): Promise<string> {
  return new CompactEncrypt(plaintext)
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: id })
    .encrypt(bytes)
}

/** The seal under the first secret key; `undefined` where it is that one already. Fails like `unsealPrivateKey`. */
export async function renewSeal(
  { privateKeyJwe }: Pick<SigningKeyRow, 'privateKeyJwe'>,
  encryption: DerivedKeys,
): Promise<string | undefined> {
  if (decodeProtectedHeader(privateKeyJwe).kid === encryption.current.id) return undefined
  return seal(await unseal(privateKeyJwe, encryption), encryption)
}

/** The private JWK of a row. Throws when the secret key it was sealed with is not configured. */
export async function unsealPrivateKey(row: SigningKeyRow, encryption: DerivedKeys): Promise<JWK> {
  const members = JSON.parse(new TextDecoder().decode(await unseal(row.privateKeyJwe, encryption))) as JWK
  return { ...members, kid: row.kid, alg: row.alg, use: 'sig' }
}

async function unseal(privateKeyJwe: string, encryption: DerivedKeys): Promise<Uint8Array> {
  const { plaintext } = await compactDecrypt(privateKeyJwe, ({ kid = '' }) => encryption.require(kid).bytes, {
    keyManagementAlgorithms: ['dir'],
    contentEncryptionAlgorithms: ['A256GCM'],
  })
  return plaintext
}
