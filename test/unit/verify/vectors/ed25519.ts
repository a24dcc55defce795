// EdDSA with Ed25519 (RFC 8032 section 5.1.7): S below the order of the group, and no point of a small order.

import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { signingKey } from '../issuer-fixture.ts'
import {
  composeInput,
  encodePart,
  misshape,
  privateKeyOf,
  toBytes,
  toNumber,
  tryEach,
  type Vector,
} from './vector.ts'

const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n
const PRIME = 2n ** 255n - 19n

const toLittleEndian = (number: bigint): Buffer => toBytes(number, 32).reverse()

const KEY = signingKey('EdDSA')
const INPUT = composeInput(KEY)
const privateKey = privateKeyOf(KEY)
const SIGNATURE = sign(null, Buffer.from(INPUT), privateKey)
const point = SIGNATURE.subarray(0, 32)
const scalar = toNumber(Buffer.from(SIGNATURE.subarray(32)).reverse())

const withScalar = (number: bigint): Buffer => Buffer.concat([point, toLittleEndian(number)])
const withPoint = (bytes: Uint8Array): Buffer => Buffer.concat([bytes, SIGNATURE.subarray(32)])
const flipSign = (bytes: Uint8Array): Buffer => {
  const flipped = Buffer.from(bytes)
  flipped[31] = (flipped[31] ?? 0) ^ 0x80
  return flipped
}

/** Every point whose order divides 8, and the spellings of them that are not reduced (RFC 8032 section 5.1.3). */
const SMALL_ORDER: Record<string, Buffer> = {
  'the neutral point': toLittleEndian(1n),
  'the neutral point, with a sign': flipSign(toLittleEndian(1n)),
  'the neutral point, not reduced': toLittleEndian(PRIME + 1n),
  'the point of order 2': toLittleEndian(PRIME - 1n),
  'a point of order 4': toLittleEndian(0n),
  'a point of order 4, with a sign': flipSign(toLittleEndian(0n)),
  'a point of order 4, not reduced': toLittleEndian(PRIME),
  ...Object.fromEntries(
    [
      '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
      'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    ]
      .map((hex) => Buffer.from(hex, 'hex'))
      .flatMap((bytes, index) => [
        [`point ${2 * index + 1} of order 8`, bytes],
        [`point ${2 * index + 2} of order 8`, flipSign(bytes)],
      ]),
  ),
}

const SCALARS: Record<string, Buffer> = {
  'S + L': withScalar(scalar + ORDER),
  'S + 2 L': withScalar(scalar + 2n * ORDER),
  'S + 8 L': withScalar(scalar + 8n * ORDER),
  'S = L': withScalar(ORDER),
  'S = L - 1': withScalar(ORDER - 1n),
  'L - S': withScalar(ORDER - scalar),
  'S = 0': withScalar(0n),
  'S + 1': withScalar(scalar + 1n),
  'S with its highest bit set': withScalar(scalar + 2n ** 255n),
  'S with the bit above L set': withScalar(scalar + 2n ** 253n),
  'S in big-endian': Buffer.concat([point, toBytes(scalar, 32)]),
}

const POINTS: Record<string, Buffer> = {
  'R with the other sign': withPoint(flipSign(point)),
  'R off the curve': withPoint(toLittleEndian(2n)),
  'R as large as can be': withPoint(Buffer.alloc(32, 0xff)),
  'S and R': Buffer.concat([SIGNATURE.subarray(32), point]),
  ...Object.fromEntries(
    Object.entries(SMALL_ORDER).flatMap(([name, bytes]) => [
      [`R is ${name}`, withPoint(bytes)],
      [`R is ${name} and S = 0`, Buffer.concat([bytes, Buffer.alloc(32)])],
    ]),
  ),
}

const [, payload = ''] = INPUT.split('.')
const otherKey = generateKeyPairSync('ed25519').privateKey

const OTHERS: Record<string, Buffer> = {
  'by another key': sign(null, Buffer.from(INPUT), otherKey),
  'by a key on Ed448': sign(null, Buffer.from(INPUT), generateKeyPairSync('ed448').privateKey),
  'over the digest': sign(null, createHash('sha512').update(INPUT).digest(), privateKey),
  'over other claims': sign(null, Buffer.from(composeInput(KEY, 'other')), privateKey),
  'over the payload alone': sign(null, Buffer.from(payload), privateKey),
  'over nothing': sign(null, Buffer.alloc(0), privateKey),
}

/**
 * Under a key of small order the neutral point and S = 0 are a signature of every message, or of every eighth: the
 * messages differ, so that there is one among them.
 */
const UNDER_SMALL_KEYS = Object.entries(SMALL_ORDER).flatMap(([name, bytes]) =>
  Array.from({ length: 16 }, (_, index) =>
    tryEach(
      composeInput(KEY, `${name} ${index}`),
      { [`forged under ${name}, message ${index}`]: Buffer.concat([toLittleEndian(1n), Buffer.alloc(32)]) },
      { keys: [{ ...KEY.publicJwk, x: encodePart(bytes) }] },
    ),
  ).flat(),
)

export const EDDSA_VECTORS: Vector[] = [
  ...tryEach(INPUT, { ...misshape(SIGNATURE), ...SCALARS, ...POINTS, ...OTHERS }),
  ...UNDER_SMALL_KEYS,
]
