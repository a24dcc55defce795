import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  generateClientSecret,
  hashClientSecret,
  isCurrentHash,
  matchesClientSecret,
} from '../../../../src/server/directory/client-secret.ts'
import { deriveKeys, UnknownSecretKeyError } from '../../../../src/server/secret/secret-keys.ts'

const COUNTING = Buffer.from(Array.from({ length: 32 }, (_, index) => index))
const OTHER = Buffer.alloc(32, 'b')
const keysOf = (...keys: [Buffer, ...Buffer[]]) => deriveKeys(keys, 'client-secret')
const keys = keysOf(COUNTING)

/** `s3cret-äö` under `COUNTING`, from another implementation. */
const STORED = '$hmac-sha256$k=9QGo9liy$AAECAwQFBgcICQoLDA0ODw$ixRWUWtgddokFrjGtKVgkNpRtK9WREcM_A0FB-oPpJM'

describe('the hash of a client secret', () => {
  it('stays readable', () => {
    expect(matchesClientSecret('s3cret-äö', STORED, keys)).toBe(true)
    expect(matchesClientSecret('s3cret-äo', STORED, keys)).toBe(false)
  })

  it('names the key, has a salt of 16 bytes, and holds no part of the secret', () => {
    const stored = hashClientSecret('correct horse battery staple', keys)
    const [, algorithm, key, salt = '', digest = ''] = stored.split('$')
    expect([algorithm, key]).toEqual(['hmac-sha256', 'k=9QGo9liy'])
    expect(Buffer.from(salt, 'base64url')).toHaveLength(16)
    expect(Buffer.from(digest, 'base64url')).toHaveLength(32)
    expect(stored).not.toContain('horse')
  })

  it('has its own salt: two of the same secret differ, and both match', () => {
    const stored = [hashClientSecret('same', keys), hashClientSecret('same', keys)]
    expect(new Set(stored).size).toBe(2)
    expect(stored.map((hash) => matchesClientSecret('same', hash, keys))).toEqual([true, true])
  })

  it('matches the secret it was made of, and no other', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (secret, other) => {
        const stored = hashClientSecret(secret, keys)
        expect(matchesClientSecret(secret, stored, keys)).toBe(true)
        expect(matchesClientSecret(other, stored, keys)).toBe(other === secret)
      }),
    )
  })

  it('does not match a part of the secret, or the secret with something added', () => {
    const stored = hashClientSecret('0123456789', keys)
    for (const wrong of ['', '012345678', '01234567890', ' 0123456789', '0123456789\0']) {
      expect(matchesClientSecret(wrong, stored, keys)).toBe(false)
    }
  })

  it('does not match when its salt or its digest was changed', () => {
    const [head = '', key = '', salt = '', digest = ''] = STORED.split('$').slice(1)
    expect(matchesClientSecret('s3cret-äö', `$${head}$${key}$B${salt.slice(1)}$${digest}`, keys)).toBe(false)
    expect(matchesClientSecret('s3cret-äö', `$${head}$${key}$${salt}$j${digest.slice(1)}`, keys)).toBe(false)
  })

  it.each([
    '',
    'plain text',
    '$hmac-sha256$',
    '$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA',
    `${STORED}$`,
    ` ${STORED}`,
  ])('that is malformed is a fault: %j', (stored) => {
    expect(() => matchesClientSecret('any', stored, keys)).toThrow('malformed client secret hash')
  })
})

describe('a rotated secret key', () => {
  const rotated = keysOf(OTHER, COUNTING)

  it('still verifies what the old one hashed, and hashes with the new one', () => {
    expect(matchesClientSecret('s3cret-äö', STORED, rotated)).toBe(true)
    const fresh = hashClientSecret('s3cret-äö', rotated)
    expect(matchesClientSecret('s3cret-äö', fresh, keysOf(OTHER))).toBe(true)
    expect(() => matchesClientSecret('s3cret-äö', fresh, keys)).toThrow(UnknownSecretKeyError)
  })

  it('tells which hashes are still of the old one', () => {
    expect(isCurrentHash(STORED, keys)).toBe(true)
    expect(isCurrentHash(STORED, rotated)).toBe(false)
    expect(isCurrentHash(hashClientSecret('x', rotated), rotated)).toBe(true)
    expect(isCurrentHash('plain text', keys)).toBe(false)
  })
})

describe('a secret that was generated', () => {
  it('has 256 random bits, a prefix and a checksum that scanners find it by', () => {
    const secrets = [generateClientSecret(), generateClientSecret()]
    expect(new Set(secrets).size).toBe(2)
    for (const secret of secrets) {
      const [, random = '', checksum = ''] = /^patmint_cs_([0-9a-f]{64})([0-9a-f]{8})$/.exec(secret) ?? []
      expect(crc32(random)).toBe(Number.parseInt(checksum, 16))
    }
  })
})
