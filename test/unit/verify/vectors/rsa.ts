// RS256 and PS256 (RFC 7518 sections 3.3 and 3.5; RFC 8017 sections 8.1.2 and 8.2.2): one encoding of the digest, of the
// length of the modulus, and nothing beside it.

import { signingKey } from '../issuer-fixture.ts'
import { BLOCK_BYTES, composePss, digestOf, encodeDigest, padBlock, signBlock } from './rsa-block.ts'
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

/** Signatures of one algorithm: by block, and by what is done to a good one. */
function setUp(alg: 'RS256' | 'PS256', composeBlock: (input: string) => Buffer) {
  const key = signingKey(alg)
  const privateKey = privateKeyOf(key)
  const modulus = toNumber(Buffer.from(key.publicJwk.n ?? '', 'base64url'))
  const input = composeInput(key)
  const signature = signBlock(privateKey, composeBlock(input))
  const number = toNumber(signature)
  const trySmall = (isSmall: (signature: Buffer) => boolean) =>
    findFirst(
      (attempt) => {
        const smallInput = composeInput(key, `attempt ${attempt}`)
        return { smallInput, small: signBlock(privateKey, composeBlock(smallInput)) }
      },
      ({ small }) => isSmall(small),
    )
  const short = trySmall((small) => small[0] === 0)
  const low = trySmall((small) => toNumber(small) + modulus < 2n ** BigInt(8 * BLOCK_BYTES))
  return {
    input,
    /** A token of a block that is as it should be: that the hand which makes the others is a good one. */
    token: `${input}.${signature.toString('base64url')}`,
    sign: (block: Uint8Array) => signBlock(privateKey, block),
    isBelowModulus: (block: Uint8Array) => toNumber(block) < modulus,
    vectors: [
      ...tryEach(input, {
        ...misshape(signature),
        's = 1': toBytes(1n, BLOCK_BYTES),
        's = n': toBytes(modulus, BLOCK_BYTES),
        's = n - 1': toBytes(modulus - 1n, BLOCK_BYTES),
        'n - s': toBytes(modulus - number, BLOCK_BYTES),
        's + 1': toBytes(number + 1n, BLOCK_BYTES),
        'the block itself': composeBlock(input),
        'over other claims': signBlock(privateKey, composeBlock(composeInput(key, 'other'))),
        'over the payload alone': signBlock(privateKey, composeBlock(input.split('.')[1] ?? '')),
      }),
      ...tryEach(short.smallInput, { 'without its leading zero': short.small.subarray(1) }),
      ...tryEach(low.smallInput, { 's + n': toBytes(toNumber(low.small) + modulus, BLOCK_BYTES) }),
    ],
  }
}

const pkcs1 = setUp('RS256', (input) => padBlock(encodeDigest(digestOf(input))))
const pss = setUp('PS256', composePss)

const digest = digestOf(pkcs1.input)
const content = encodeDigest(digest)
const garbage = Buffer.alloc(160, 0x5a)
const SHA1 = '2b0e03021a'
const SHA512 = '608648016503040203'
const oneOff = padBlock(content)
oneOff[100] = 0xfe

const PKCS1_BLOCKS: Record<string, Buffer> = {
  'the digest and something after it': padBlock(Buffer.concat([content, garbage])),
  'the digest and a zero byte after it': padBlock(Buffer.concat([content, Buffer.of(0)])),
  'the digest and something before it': padBlock(Buffer.concat([garbage, content])),
  'no padding, something after the digest': padBlock(Buffer.concat([content, Buffer.alloc(202)])),
  'block type 0': padBlock(content, { head: [0, 0] }),
  'block type 2': padBlock(content, { head: [0, 2] }),
  'a first byte that is not zero': padBlock(content, { head: [1, 1] }),
  'padding with zero': padBlock(content, { fill: 0 }),
  'padding with 254': padBlock(content, { fill: 0xfe }),
  'padding with one byte that is another': oneOff,
  'no byte after the padding': padBlock(content, { separator: [] }),
  'another byte after the padding': padBlock(content, { separator: [1] }),
  'two bytes after the padding': padBlock(content, { separator: [0, 0] }),
  'the digest alone': padBlock(digest),
  'no parameters of the digest': padBlock(encodeDigest(digest, { parameters: '' })),
  'two parameters of the digest': padBlock(encodeDigest(digest, { parameters: '05000500' })),
  'something in the parameters': padBlock(encodeDigest(digest, { parameters: '040461626364' })),
  'a NULL that is not empty': padBlock(encodeDigest(digest, { parameters: '050100' })),
  'a length in two bytes': padBlock(Buffer.concat([Buffer.of(0x30, 0x81), content.subarray(1)])),
  'a length that is too small': padBlock(Buffer.concat([Buffer.of(0x30, 0x30), content.subarray(2)])),
  'an indefinite length': padBlock(
    Buffer.concat([Buffer.of(0x30, 0x80), content.subarray(2), Buffer.of(0, 0)]),
  ),
  'another tag': padBlock(Buffer.concat([Buffer.of(0x31), content.subarray(1)])),
  'SHA-1': padBlock(encodeDigest(digestOf(pkcs1.input, 'sha1'), { oid: SHA1 })),
  'SHA-512': padBlock(encodeDigest(digestOf(pkcs1.input, 'sha512'), { oid: SHA512 })),
  'SHA-256 that calls itself SHA-512': padBlock(encodeDigest(digest, { oid: SHA512 })),
  'SHA-512 that calls itself SHA-256': padBlock(
    encodeDigest(digestOf(pkcs1.input, 'sha512').subarray(0, 32)),
  ),
  'SHA-256 cut to 31 bytes': padBlock(encodeDigest(digest.subarray(0, 31))),
  'the digest twice': padBlock(Buffer.concat([content, content])),
  PSS: composePss(pkcs1.input),
}

const PSS_BLOCKS: Record<string, Buffer> = {
  'no salt': composePss(pss.input, { saltLength: 0 }),
  'a salt of 20 bytes': composePss(pss.input, { saltLength: 20 }),
  'a salt of 31 bytes': composePss(pss.input, { saltLength: 31 }),
  'a salt of 33 bytes': composePss(pss.input, { saltLength: 33 }),
  'the longest salt': composePss(pss.input, { saltLength: BLOCK_BYTES - 34 }),
  'SHA-1': composePss(pss.input, { digest: 'sha1' }),
  'SHA-384': composePss(pss.input, { digest: 'sha384' }),
  'SHA-512': composePss(pss.input, { digest: 'sha512' }),
  'a mask by SHA-1': composePss(pss.input, { maskDigest: 'sha1' }),
  'a mask by SHA-512': composePss(pss.input, { maskDigest: 'sha512' }),
  'another trailer': composePss(pss.input, { trailer: 0xcc }),
  'a trailer of zero': composePss(pss.input, { trailer: 0 }),
  'no byte before the salt': composePss(pss.input, { separator: 0 }),
  'another byte before the salt': composePss(pss.input, { separator: 2 }),
  'padding that is not zero': composePss(pss.input, { fill: 1 }),
  'PKCS #1 v1.5': padBlock(encodeDigest(digestOf(pss.input))),
}

const signEach = (blocks: Readonly<Record<string, Buffer>>, sign: (block: Buffer) => Buffer) =>
  Object.fromEntries(Object.entries(blocks).map(([name, block]) => [name, sign(block)]))

const topBit = findFirst(
  (attempt) => {
    const input = composeInput(signingKey('PS256'), `top bit ${attempt}`)
    return { input, block: composePss(input, { isTopBitSet: true }) }
  },
  ({ block }) => pss.isBelowModulus(block),
)

export const RS256_BY_HAND = pkcs1.token
export const PS256_BY_HAND = pss.token

export const RS256_VECTORS: Vector[] = [
  ...pkcs1.vectors,
  ...tryEach(pkcs1.input, signEach(PKCS1_BLOCKS, pkcs1.sign)),
]

export const PS256_VECTORS: Vector[] = [
  ...pss.vectors,
  ...tryEach(pss.input, signEach(PSS_BLOCKS, pss.sign)),
  ...tryEach(topBit.input, { 'the highest bit set': pss.sign(topBit.block) }),
]
