import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { readKeySet } from '../../../../src/server/client-keys/read-key-set.ts'

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'a', alg: 'ES256', use: 'sig' }
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' })
const ed25519 = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })
const read = (...keys: unknown[]) => readKeySet(JSON.stringify({ keys }))

describe('a JWK Set of a client', () => {
  it('gives the public keys in it', () => {
    expect(read(jwk, rsa, ed25519)).toEqual({ keys: [jwk, rsa, ed25519] })
  })

  it('gives of each key what is needed to verify, and of the set nothing else', () => {
    const text = JSON.stringify({ issuer: 'x', keys: [{ ...jwk, x5c: ['MII'], note: { a: 1 } }] })
    expect(readKeySet(text)).toEqual({ keys: [jwk] })
  })

  it.each([
    ['of an unknown type', { kty: 'XYZ', kid: 'b' }],
    ['of a type that is not for signatures here', { kty: 'AKP', alg: 'ML-DSA-44', pub: 'AA' }],
    ['that is half there', { kty: 'RSA', n: 'AQAB' }],
    ['with a curve nobody knows', { ...jwk, crv: 'P-1' }],
    ['with an id that is no text', { ...jwk, kid: 7 }],
    ['with an empty use', { ...jwk, use: '' }],
  ])('passes over a key %s', (_name, other) => {
    expect(read(other, jwk)).toEqual({ keys: [jwk] })
    expect(() => read(other)).toThrow('the JWK Set has no public key of a known type')
  })

  it.each([
    ['a private key', privateKey.export({ format: 'jwk' })],
    ['a symmetric key', { kty: 'oct', k: 'c2VjcmV0' }],
  ])('counts for nothing with %s in it', (_name, secret) => {
    expect(() => read(jwk, secret)).toThrow('the JWK Set has a private or symmetric key')
  })

  it('has up to 32 keys', () => {
    expect(read(...Array(32).fill(jwk)).keys).toHaveLength(32)
    expect(() => read(...Array(33).fill(jwk))).toThrow('the JWK Set has more than 32 keys')
  })

  it.each(['', 'null', '[]', '{}', '7', '{"keys":{}}', '{"keys":[null]}', '{"keys":["x"]}', '{"keys":[[]]}'])(
    'is not %s',
    (text) => {
      expect(() => readKeySet(text)).toThrow(/^the answer is no (JSON|JWK Set)$/)
    },
  )

  it('is not quoted when it is no JSON', () => {
    expect(() => readKeySet('<html>whatever stands there')).toThrow(/^the answer is no JSON$/)
  })
})
