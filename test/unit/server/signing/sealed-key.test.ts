import { CompactSign, calculateJwkThumbprint, compactVerify, importJWK } from 'jose'
import { describe, expect, it } from 'vitest'
import { SIGNING_ALGORITHMS } from '../../../../src/protocol/access-token.ts'
import { deriveKeys, UnknownSecretKeyError } from '../../../../src/server/secret/secret-keys.ts'
import { createSigningKey, renewSeal, unsealPrivateKey } from '../../../../src/server/signing/sealed-key.ts'
import type { SigningKeyRow } from '../../../../src/server/signing/store.ts'

const LIFE = {
  publishedAt: new Date('2026-03-01T12:00:00Z'),
  activatesAt: new Date('2026-03-01T12:06:00Z'),
}
const KEY_A = Buffer.alloc(32, 'a')
const KEY_B = Buffer.alloc(32, 'b')
const encryptionOf = (...keys: [Buffer, ...Buffer[]]) => deriveKeys(keys, 'signing-key-encryption')
const encryption = encryptionOf(KEY_A)

const rows = new Map(
  await Promise.all(
    SIGNING_ALGORITHMS.map(async (alg) => [alg, await createSigningKey(alg, encryption, LIFE)] as const),
  ),
)
function rowOf(alg: (typeof SIGNING_ALGORITHMS)[number]): SigningKeyRow {
  const row = rows.get(alg)
  if (!row) throw new Error(`no key for ${alg}`)
  return row
}

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']
const PUBLIC_MEMBERS = {
  ES256: ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'],
  EdDSA: ['alg', 'crv', 'kid', 'kty', 'use', 'x'],
  RS256: ['alg', 'e', 'kid', 'kty', 'n', 'use'],
  PS256: ['alg', 'e', 'kid', 'kty', 'n', 'use'],
}

describe.each(SIGNING_ALGORITHMS)('a signing key for %s', (alg) => {
  it('is published without any private member', () => {
    const { publicJwk } = rowOf(alg)
    expect(Object.keys(publicJwk).sort()).toEqual(PUBLIC_MEMBERS[alg])
    expect(Object.keys(publicJwk).filter((member) => PRIVATE_MEMBERS.includes(member))).toEqual([])
  })

  it('says what it is for, and is named by its thumbprint', async () => {
    const { kid, publicJwk } = rowOf(alg)
    expect(publicJwk).toMatchObject({ kid, alg, use: 'sig' })
    expect(kid).toBe(await calculateJwkThumbprint(publicJwk))
  })

  it('is published and active from when it is to be, and has no end', () => {
    expect(rowOf(alg)).toMatchObject({ alg, ...LIFE, retiresAt: null, goneAt: null, withdrawnAt: null })
  })

  it('comes out of its seal as it went in: what it signs, the public key verifies', async () => {
    const privateJwk = await unsealPrivateKey(rowOf(alg), encryption)
    const jws = await new CompactSign(Buffer.from('signed'))
      .setProtectedHeader({ alg })
      .sign(await importJWK(privateJwk))
    const { payload } = await compactVerify(jws, await importJWK(rowOf(alg).publicJwk))
    expect(Buffer.from(payload).toString()).toBe('signed')
    expect(privateJwk).toMatchObject(rowOf(alg).publicJwk)
  })
})

describe('the seal', () => {
  const row = rowOf('ES256')
  const [header = '', , iv = '', ciphertext = '', tag = ''] = row.privateKeyJwe.split('.')

  it('is AES-256-GCM under a derived key, which its header names', () => {
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({
      alg: 'dir',
      enc: 'A256GCM',
      kid: encryption.current.id,
    })
  })

  it('hides the private members', async () => {
    const { d } = await unsealPrivateKey(row, encryption)
    expect(d).toMatch(/^[\w-]{43}$/)
    expect(JSON.stringify(row)).not.toContain(d)
  })

  it('differs each time, as does the key', async () => {
    const another = await createSigningKey('ES256', encryption, LIFE)
    expect(another.kid).not.toBe(row.kid)
    expect(another.privateKeyJwe.split('.')[2]).not.toBe(iv)
  })

  it('is opened by any accepted secret key, and made with the first', async () => {
    const rotated = encryptionOf(KEY_B, KEY_A)
    expect(await unsealPrivateKey(row, rotated)).toEqual(await unsealPrivateKey(row, encryption))
    const fresh = await createSigningKey('EdDSA', rotated, LIFE)
    expect((await unsealPrivateKey(fresh, encryptionOf(KEY_B))).kid).toBe(fresh.kid)
    await expect(unsealPrivateKey(fresh, encryptionOf(KEY_A))).rejects.toThrow(UnknownSecretKeyError)
  })

  it('is renewed under the first secret key, after which the others can be dropped', async () => {
    const privateKeyJwe = await renewSeal(row, encryptionOf(KEY_B, KEY_A))
    expect(
      await unsealPrivateKey({ ...row, privateKeyJwe: privateKeyJwe ?? '' }, encryptionOf(KEY_B)),
    ).toEqual(await unsealPrivateKey(row, encryption))
  })

  it('is left as it is under the first secret key', async () => {
    expect(await renewSeal(row, encryptionOf(KEY_A, KEY_B))).toBeUndefined()
  })

  it('is not renewed without the secret key it was made with', async () => {
    await expect(renewSeal(row, encryptionOf(KEY_B))).rejects.toThrow(UnknownSecretKeyError)
  })

  it('cannot be opened without the secret key it was made with', async () => {
    await expect(unsealPrivateKey(row, encryptionOf(KEY_B))).rejects.toThrow(UnknownSecretKeyError)
  })

  it('cannot be opened with a key derived for another purpose', async () => {
    await expect(unsealPrivateKey(row, deriveKeys([KEY_A], 'client-secret'))).rejects.toMatchObject({
      code: 'ERR_JWE_DECRYPTION_FAILED',
    })
  })

  const flip = (part: string): string => (part.startsWith('A') ? `B${part.slice(1)}` : `A${part.slice(1)}`)
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const kidOfB = encryptionOf(KEY_B).current.id

  it.each([
    ['another initialization vector', [header, '', flip(iv), ciphertext, tag]],
    ['another ciphertext', [header, '', iv, flip(ciphertext), tag]],
    ['another tag', [header, '', iv, ciphertext, flip(tag)]],
    ['a shortened tag', [header, '', iv, ciphertext, tag.slice(0, 16)]],
    [
      'the name of another accepted key',
      [encode({ alg: 'dir', enc: 'A256GCM', kid: kidOfB }), '', iv, ciphertext, tag],
    ],
    [
      'a header that says the same in other words',
      [encode({ enc: 'A256GCM', alg: 'dir', kid: encryption.current.id }), '', iv, ciphertext, tag],
    ],
    [
      'an algorithm of its own choice',
      [encode({ alg: 'A256KW', enc: 'A256GCM', kid: encryption.current.id }), '', iv, ciphertext, tag],
    ],
    ['a part too few', [header, iv, ciphertext, tag]],
  ])('does not open with %s', async (_, parts) => {
    const tampered = { ...row, privateKeyJwe: parts.join('.') }
    await expect(unsealPrivateKey(tampered, encryptionOf(KEY_A, KEY_B))).rejects.toThrow()
  })
})
