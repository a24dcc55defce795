import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  deriveKeys,
  type SecretPurpose,
  UnknownSecretKeyError,
} from '../../../../src/server/secret/secret-keys.ts'

const COUNTING = Buffer.from(Array.from({ length: 32 }, (_, index) => index))
const ZEROS = Buffer.alloc(32)

/** HKDF-SHA-256 of `COUNTING`, from another implementation. What a database holds depends on these never changing. */
const DERIVED: Record<SecretPurpose, string> = {
  'credential-pepper': 'xh_wEw6MDYDVNvZX3J3-BUHKKArchYiTSzn2dcAPaHw',
  'credential-tag': '3XltON5Ob8a9KHDvguES88wdXeMv893b-jttAvTYc-k',
  'password-pepper': 'Uc3VFE_nClcHc-z_FGDPocXwQ3SwdeXZt7VatL1urB8',
  'client-secret': 'TcEWSyYv-2qrYE2eERzCm3ugGBc2UBm7aBmWlFBkR4o',
  'signing-key-encryption': 'orzCfMjzoEhwaFr9YUJ6GW_zXRUPTy4Vpd2-aXzscfk',
  'dpop-nonce': 'yzINn2B_n2EQrJ-KRIhSx-EvGHOViJFy1_nH-58A2XI',
}
const PURPOSES = Object.keys(DERIVED) as SecretPurpose[]

describe('a derived key', () => {
  it.each(PURPOSES)('for %s is what it always was', (purpose) => {
    expect(deriveKeys([COUNTING], purpose).current.bytes.toString('base64url')).toBe(DERIVED[purpose])
  })

  it('names its secret key by the same id for every purpose', () => {
    expect(new Set(PURPOSES.map((purpose) => deriveKeys([COUNTING], purpose).current.id))).toEqual(
      new Set(['9QGo9liy']),
    )
    expect(deriveKeys([ZEROS], 'client-secret').current.id).not.toBe('9QGo9liy')
  })

  it('is another one for each purpose and for each secret key', () => {
    const keys = [COUNTING, ZEROS].flatMap((key) =>
      PURPOSES.map((purpose) => deriveKeys([key], purpose).current.bytes.toString('hex')),
    )
    expect(new Set([...keys, COUNTING.toString('hex'), ZEROS.toString('hex')]).size).toBe(14)
  })
})

describe('several secret keys', () => {
  const keys = deriveKeys([ZEROS, COUNTING], 'client-secret')

  it('use the first for new things', () => {
    expect(keys.current).toEqual(deriveKeys([ZEROS], 'client-secret').current)
  })

  it('are all found under their ids', () => {
    expect(keys.require(keys.current.id)).toEqual(keys.current)
    expect(keys.require('9QGo9liy').bytes.toString('base64url')).toBe(DERIVED['client-secret'])
  })

  it('may name the same one twice', () => {
    const doubled = deriveKeys([COUNTING, COUNTING], 'client-secret')
    expect(doubled.require('9QGo9liy')).toEqual(doubled.current)
  })
})

describe('a secret key that is not configured', () => {
  const keys = deriveKeys([ZEROS], 'client-secret')

  it('is a fault that names its id', () => {
    const error = new UnknownSecretKeyError('9QGo9liy')
    expect(() => keys.require('9QGo9liy')).toThrow(error)
    expect(error.message).toBe(
      'PATMINT_SECRET_KEY lacks the key "9QGo9liy" that the database was written with',
    )
    expect(error.code).toBe('secret_key_unknown')
  })

  it('is not found under an empty or inherited name', () => {
    for (const id of ['', 'constructor', '__proto__', 'toString'])
      expect(() => keys.require(id)).toThrow(UnknownSecretKeyError)
  })

  it('is named without a byte of the ones that are', () => {
    expect(inspect(new UnknownSecretKeyError('9QGo9liy'), { depth: null })).not.toContain(
      keys.current.bytes.toString('hex').slice(0, 8),
    )
  })
})
