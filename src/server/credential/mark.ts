// What a credential's hash says of itself in clear, as argon2's associated data: the secret key it was made with, and a tag
// by which a wrong secret is told without a hash.

import { createHmac, timingSafeEqual } from 'node:crypto'
import type { PresentedCredential } from '../../protocol/credential.ts'
import { type DerivedKeys, deriveKeys, KEY_ID_BYTES } from '../secret/secret-keys.ts'

/** The secret keys' products that go into a hash. */
export interface CredentialKeys {
  readonly peppers: DerivedKeys
  readonly tags: DerivedKeys
}

export const deriveCredentialKeys = (secretKeys: readonly [Buffer, ...Buffer[]]): CredentialKeys => ({
  peppers: deriveKeys(secretKeys, 'credential-pepper'),
  tags: deriveKeys(secretKeys, 'credential-tag'),
})

/** One wrong secret in four billion passes, and whoever has the key learns 32 of its 160 bits. */
const TAG_BYTES = 4

export interface Mark {
  readonly keyId: string
  /** Empty in hashes from before there were tags. */
  readonly tag: Buffer
}

/** PHC string: `data` (base64) is argon2's associated data. */
const DATA = /^\$argon2id\$v=19\$[^$]*\bdata=([A-Za-z0-9+/]+)/

/** The mark for a hash of `credential` by the current keys. */
export function makeMark({ tags }: CredentialKeys, credential: PresentedCredential): Mark {
  const { id, bytes } = tags.current
  return { keyId: id, tag: tagSecret(bytes, credential) }
}

export const packMark = ({ keyId, tag }: Mark): Buffer =>
  Buffer.concat([Buffer.from(keyId, 'base64url'), tag])

/** Undefined when the hash bears none. */
export function readMark(secretHash: string): Mark | undefined {
  const data = DATA.exec(secretHash)?.[1]
  if (data === undefined) return undefined
  const bytes = Buffer.from(data, 'base64')
  return { keyId: bytes.toString('base64url', 0, KEY_ID_BYTES), tag: bytes.subarray(KEY_ID_BYTES) }
}

/** Whether a hash made now would bear one like it. */
export const isCurrent = ({ tags }: CredentialKeys, { keyId, tag }: Mark): boolean =>
  keyId === tags.current.id && tag.length === TAG_BYTES

/** False for nearly every credential but the one whose hash bears the mark. */
export function fitsMark(
  { tags }: CredentialKeys,
  { keyId, tag }: Mark,
  credential: PresentedCredential,
): boolean {
  const expected = tagSecret(tags.require(keyId).bytes, credential)
  return tag.length === 0 || (tag.length === TAG_BYTES && timingSafeEqual(tag, expected))
}

const tagSecret = (key: Buffer, credential: PresentedCredential): Buffer =>
  createHmac('sha256', key)
    .update(credential.id + credential.revealSecret())
    .digest()
    .subarray(0, TAG_BYTES)
