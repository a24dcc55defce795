// ES256 (RFC 7518 section 3.4): r and s between 1 and the order of P-256, 32 bytes each, and nothing else.

import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { signingKey } from '../issuer-fixture.ts'
import {
  composeInput,
  findFirst,
  misshape,
  privateKeyOf,
  toBytes,
  toNumber,
  tryEach,
  type Vector,
} from './vector.ts'

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
const PRIME = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn

const KEY = signingKey('ES256')
const INPUT = composeInput(KEY)
const privateKey = privateKeyOf(KEY)

const signWith = (key: KeyObject, input = INPUT, hash = 'sha256'): Buffer =>
  sign(hash, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })

const SIGNATURE = signWith(privateKey)
const [r, s] = [toNumber(SIGNATURE.subarray(0, 32)), toNumber(SIGNATURE.subarray(32))]

const join = (one: bigint, other: bigint): Buffer => Buffer.concat([toBytes(one, 32), toBytes(other, 32)])

/** Nothing in ECDSA tells the two apart; deny lists therefore go by `jti`, not by the token's text. */
export const ES256_TWINS = [join(r, s), join(r, ORDER - s)].map(
  (signature) => `${INPUT}.${signature.toString('base64url')}`,
)

const NUMBERS: Record<string, Buffer> = {
  'r = 0 and s = 0': join(0n, 0n),
  'r = 0': join(0n, s),
  's = 0': join(r, 0n),
  'r = 1 and s = 1': join(1n, 1n),
  'r = 0 and s = 1': join(0n, 1n),
  'r = n': join(ORDER, s),
  's = n': join(r, ORDER),
  'r = n and s = n': join(ORDER, ORDER),
  'r = n and s = 0': join(ORDER, 0n),
  'r = n - 1': join(ORDER - 1n, s),
  's = n - 1': join(r, ORDER - 1n),
  'r = n + 1': join(ORDER + 1n, s),
  's = n + 1': join(r, ORDER + 1n),
  'r = p': join(PRIME, s),
  's = p': join(r, PRIME),
  'r = p - n': join(PRIME - ORDER, s),
  'r = p - n - 1': join(PRIME - ORDER - 1n, s),
  'r as large as can be': join(2n ** 256n - 1n, s),
  's as large as can be': join(r, 2n ** 256n - 1n),
  'r + 1': join(r + 1n, s),
  's + 1': join(r, s + 1n),
  'n - r': join(ORDER - r, s),
  'n - r and n - s': join(ORDER - r, ORDER - s),
  's and r': join(s, r),
  'r twice': join(r, r),
  's twice': join(s, s),
}

const der = sign('sha256', Buffer.from(INPUT), privateKey)
const withLeadingZero = findFirst(
  () => signWith(privateKey),
  (signature) => signature[0] === 0,
)

const ENCODINGS: Record<string, Buffer> = {
  DER: der,
  'DER, cut to 64 bytes': der.subarray(0, 64),
  'DER of P1363': Buffer.concat([Buffer.of(0x04, 64), SIGNATURE]),
  'r and s of 33 bytes': Buffer.concat([Buffer.of(0), toBytes(r, 32), Buffer.of(0), toBytes(s, 32)]),
  'r and s of 66 bytes, as of P-521': Buffer.concat([toBytes(r, 66), toBytes(s, 66)]),
  'r and s of 48 bytes, as of P-384': Buffer.concat([toBytes(r, 48), toBytes(s, 48)]),
  'r without its leading zero': withLeadingZero.subarray(1),
  'r alone': toBytes(r, 32),
}

const [head = '', payload = ''] = INPUT.split('.')
const curve = (namedCurve: string): KeyObject => generateKeyPairSync('ec', { namedCurve }).privateKey

const OTHERS: Record<string, Buffer> = {
  'by another key': signWith(curve('P-256')),
  'by a key on P-384': signWith(curve('P-384')),
  'by a key on P-384, as ES384': signWith(curve('P-384'), INPUT, 'sha384'),
  'by a key on P-521': signWith(curve('P-521')),
  'by a key on secp256k1': signWith(curve('secp256k1')),
  'by a key on brainpoolP256r1': signWith(curve('brainpoolP256r1')),
  'over SHA-384': signWith(privateKey, INPUT, 'sha384'),
  'over SHA-512': signWith(privateKey, INPUT, 'sha512'),
  'over SHA-1': signWith(privateKey, INPUT, 'sha1'),
  'over SHA3-256': signWith(privateKey, INPUT, 'sha3-256'),
  'over other claims': signWith(privateKey, composeInput(KEY, 'other')),
  'over the payload alone': signWith(privateKey, payload),
  'over the header alone': signWith(privateKey, head),
  'over the payload first': signWith(privateKey, `${payload}.${head}`),
  'over header and payload without the dot': signWith(privateKey, head + payload),
  'over what is encoded': signWith(
    privateKey,
    `${Buffer.from(head, 'base64url')}.${Buffer.from(payload, 'base64url')}`,
  ),
  'over an unencoded payload': signWith(privateKey, `${head}.${Buffer.from(payload, 'base64url')}`),
  'over nothing': signWith(privateKey, ''),
}

export const ES256_VECTORS: Vector[] = tryEach(INPUT, {
  ...misshape(SIGNATURE),
  ...NUMBERS,
  ...ENCODINGS,
  ...OTHERS,
})
