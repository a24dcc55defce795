// Keys that are not for checking signatures of access tokens, or of which anybody may know the private half (RFC 7517
// section 4, RFC 7518 section 6, RFC 8725 sections 3.1 and 3.2). Each token is signed well, by the private half.

import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { exportJWK, type JWK } from 'jose'
import type { SigningAlgorithm } from '../../../../src/protocol/access-token.ts'
import { CLAIMS, JWKS, type SigningKey, signingKey, signToken } from '../issuer-fixture.ts'
import { digestOf, encodeDigest, padBlock } from './rsa-block.ts'
import { composeInput, encodePart, findFirst, tryEach, type Vector } from './vector.ts'

type Members = Readonly<Record<string, unknown>>

const decode = (text = ''): Buffer => Buffer.from(text, 'base64url')

/** The good token of a key, while the key is published with other members; `undefined` takes one out. */
const publishEach = async (
  code: Vector['code'],
  key: SigningKey,
  variants: Readonly<Record<string, Members>>,
): Promise<Vector[]> => {
  const token = await signToken(CLAIMS, {}, key)
  return Object.entries(variants).map(([name, members]) => ({
    name: `${key.alg}: ${name}`,
    code,
    token,
    keys: [{ ...key.publicJwk, ...members } as JWK],
  }))
}

const [EC, OKP, RSA, PSS] = (['ES256', 'EdDSA', 'RS256', 'PS256'] as const).map(signingKey) as [
  SigningKey,
  SigningKey,
  SigningKey,
  SigningKey,
]

const OTHER_USE: Record<string, Members> = {
  'use enc': { use: 'enc' },
  'use SIG': { use: 'SIG' },
  'use of no text': { use: '' },
  'use null': { use: null },
  'use as a list': { use: ['sig'] },
  'key_ops for signing': { key_ops: ['sign'] },
  'key_ops for encryption': { key_ops: ['encrypt', 'wrapKey'] },
  'key_ops for agreement': { key_ops: ['deriveBits'] },
  'no key_ops': { key_ops: [] },
  'key_ops as text': { key_ops: 'verify' },
  'key_ops null': { key_ops: null },
  'key_ops twice the same': { key_ops: ['verify', 'verify'] },
  'key_ops for verification, and use enc': { key_ops: ['verify'], use: 'enc' },
  'no alg': { alg: undefined },
  'alg null': { alg: null },
  'alg as a list': { alg: ['ES256', 'EdDSA', 'RS256', 'PS256'] },
  'alg in lower case': { alg: 'es256' },
  'alg HS256': { alg: 'HS256' },
  'alg ES384': { alg: 'ES384' },
  'alg RS512': { alg: 'RS512' },
  'alg RSA-OAEP': { alg: 'RSA-OAEP' },
  'alg ECDH-ES': { alg: 'ECDH-ES' },
  'no kty': { kty: undefined },
  'kty in lower case': { kty: 'ec' },
  'kty oct': { kty: 'oct', k: 'AAAA' },
  'no kid': { kid: undefined },
  'another kid': { kid: 'another' },
  'kid as a list': { kid: ['key-ES256', 'key-EdDSA', 'key-RS256', 'key-PS256'] },
}

/** Published by mistake: whoever reads the key set could sign. */
const exportPrivate = async (key: SigningKey): Promise<Members> => await exportJWK(key.privateKey)

/** A key the issuer has no algorithm for, published as if it had. */
const signWith = (
  name: string,
  code: Vector['code'],
  alg: SigningAlgorithm,
  privateKey: KeyObject,
  members: Members,
): Vector[] => {
  const key = { alg, kid: `key-${alg}` }
  const input = composeInput(key)
  const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return tryEach(
    input,
    { [`${alg}: ${name}`]: signature },
    { code, keys: [{ ...members, ...key } as unknown as JWK] },
  )
}

const weakRsa = (modulusLength: number, publicExponent: number, code: Vector['code']): Vector[] => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength, publicExponent })
  const jwk = publicKey.export({ format: 'jwk' }) as Members
  return signWith(`${modulusLength} bits, exponent ${publicExponent}`, code, 'RS256', privateKey, jwk)
}

const otherCurve = (namedCurve: string, alg: SigningAlgorithm, members: Members = {}): Vector[] => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve })
  const jwk = { ...publicKey.export({ format: 'jwk' }), ...members }
  return signWith(`a key on ${namedCurve} ${JSON.stringify(members)}`, 'key_unknown', alg, privateKey, jwk)
}

/** With an exponent of 1 a block is its own signature. */
const oneInput = composeInput(RSA)
const EXPONENT_ONE = tryEach(
  oneInput,
  { 'RS256: exponent 1': padBlock(encodeDigest(digestOf(oneInput))) },
  { code: 'key_unknown', keys: [{ ...RSA.publicJwk, e: 'AQ' }] },
)

const shortX = findFirst(
  () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ({ publicKey }) => decode(publicKey.export({ format: 'jwk' }).x)[0] === 0,
)
const shortJwk = shortX.publicKey.export({ format: 'jwk' })
const cutX = encodePart(decode(shortJwk.x).subarray(1))

/** As if nothing were published. */
const UNKNOWN: Vector[] = [
  ...(await Promise.all([EC, OKP, RSA, PSS].map((key) => publishEach('key_unknown', key, OTHER_USE)))).flat(),
  ...(await publishEach('key_unknown', EC, {
    'no curve': { crv: undefined },
    'another curve': { crv: 'P-384' },
    'no y': { y: undefined },
    'x as a number': { x: 7 },
    'x with a zero byte before it': {
      x: encodePart(Buffer.concat([Buffer.of(0), decode(EC.publicJwk.x)])),
    },
  })),
  ...(await publishEach('key_unknown', OKP, {
    'no curve': { crv: undefined },
    'the curve for agreement': { crv: 'X25519' },
    'a point of 31 bytes': { x: encodePart(Buffer.alloc(31, 1)) },
    'no x': { x: undefined },
  })),
  ...(await publishEach('key_unknown', RSA, {
    'no exponent': { e: undefined },
    'exponent 2': { e: 'Ag' },
    'exponent as large as the modulus': { e: RSA.publicJwk.n },
    'for PSS': { alg: 'PS256' },
  })),
  ...(await publishEach('key_unknown', PSS, { 'for PKCS #1 v1.5': { alg: 'RS256' } })),
  ...EXPONENT_ONE,
  ...weakRsa(2048, 3, 'key_unknown'),
  ...weakRsa(2048, 17, 'key_unknown'),
  ...otherCurve('P-384', 'ES256'),
  ...otherCurve('P-384', 'ES256', { crv: 'P-256' }),
  ...otherCurve('secp256k1', 'ES256'),
  ...otherCurve('P-256', 'RS256'),
  ...otherCurve('P-256', 'EdDSA'),
  ...signWith('x without its leading zero', 'key_unknown', 'ES256', shortX.privateKey, {
    ...shortJwk,
    x: cutX,
  }),
  { name: 'no key at all', code: 'key_unknown', token: await signToken(), keys: [] },
  {
    name: 'every key but the one',
    code: 'key_unknown',
    token: await signToken(),
    keys: JWKS.keys.filter(({ alg }) => alg !== 'ES256'),
  },
]

/** The issuer's own mistake, about which the token can do nothing. */
const UNUSABLE: Vector[] = [
  ...(
    await Promise.all(
      [EC, OKP, RSA, PSS].map(async (key) =>
        publishEach('keys_unavailable', key, {
          'its private half': await exportPrivate(key),
          'key_ops for both': { key_ops: ['sign', 'verify'] },
        }),
      ),
    )
  ).flat(),
  ...(await publishEach('keys_unavailable', EC, {
    'a point off the curve': { y: EC.publicJwk.x },
    'the point 0, 0': { x: encodePart(Buffer.alloc(32)), y: encodePart(Buffer.alloc(32)) },
  })),
  ...(await publishEach('keys_unavailable', RSA, { 'no modulus': { n: undefined } })),
  ...weakRsa(512, 65_537, 'keys_unavailable'),
  ...weakRsa(1024, 65_537, 'keys_unavailable'),
  ...weakRsa(2040, 65_537, 'keys_unavailable'),
  {
    name: 'two keys of one name',
    code: 'keys_unavailable',
    token: await signToken(),
    keys: [EC.publicJwk, EC.publicJwk],
  },
]

export const PUBLISHED_KEYS: Vector[] = [...UNKNOWN, ...UNUSABLE]
