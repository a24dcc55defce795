// RSA's encoded messages, put together by hand: EMSA-PKCS1-v1_5 and EMSA-PSS (RFC 8017 sections 9.1 and 9.2), with
// every mistake a verifier may overlook.

import { constants, createHash, type KeyObject, privateEncrypt } from 'node:crypto'

export const BLOCK_BYTES = 256

const hash = (name: string, ...parts: readonly Uint8Array[]): Buffer => {
  const digest = createHash(name)
  for (const part of parts) digest.update(part)
  return digest.digest()
}

export const digestOf = (input: string, name = 'sha256'): Buffer => hash(name, Buffer.from(input))

/** What comes out when the block is raised to the private exponent. */
export const signBlock = (key: KeyObject, block: Uint8Array): Buffer =>
  privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, block)

/** ASN.1 of the digest: SEQUENCE { SEQUENCE { OBJECT IDENTIFIER, NULL }, OCTET STRING }. */
export function encodeDigest(
  digest: Uint8Array,
  { oid = '608648016503040201', parameters = '0500' }: { oid?: string; parameters?: string } = {},
): Buffer {
  const algorithm = wrap(
    0x30,
    Buffer.concat([wrap(0x06, Buffer.from(oid, 'hex')), Buffer.from(parameters, 'hex')]),
  )
  return wrap(0x30, Buffer.concat([algorithm, wrap(0x04, digest)]))
}

export const wrap = (tag: number, content: Uint8Array): Buffer =>
  Buffer.concat([Buffer.of(tag, content.length), content])

/** 00 01 FF … FF 00 and the content, filled up to the length of the key. */
export function padBlock(
  content: Uint8Array,
  {
    head = [0, 1],
    fill = 0xff,
    separator = [0],
  }: { head?: number[]; fill?: number; separator?: number[] } = {},
): Buffer {
  const length = BLOCK_BYTES - head.length - separator.length - content.length
  return Buffer.concat([Buffer.from(head), Buffer.alloc(length, fill), Buffer.from(separator), content])
}

interface PssMistakes {
  readonly saltLength?: number
  readonly digest?: string
  readonly maskDigest?: string
  readonly trailer?: number
  readonly separator?: number
  readonly fill?: number
  /** The bit above those of the modulus, which has to be clear. */
  readonly isTopBitSet?: boolean
}

export function composePss(input: string, mistakes: PssMistakes = {}): Buffer {
  const { digest = 'sha256', maskDigest = digest, trailer = 0xbc, separator = 1, fill = 0 } = mistakes
  const salt = Buffer.alloc(mistakes.saltLength ?? 32, 0x5a)
  const h = hash(digest, Buffer.alloc(8), digestOf(input, digest), salt)
  const length = BLOCK_BYTES - h.length - 1
  const data = Buffer.alloc(length, fill)
  data[length - salt.length - 1] = separator
  salt.copy(data, length - salt.length)
  const masked = maskBytes(data, h, maskDigest)
  masked[0] = mistakes.isTopBitSet ? (masked[0] ?? 0) | 0x80 : (masked[0] ?? 0) & 0x7f
  return Buffer.concat([masked, h, Buffer.of(trailer)])
}

/** Exclusive or with MGF1 of the seed (RFC 8017 appendix B.2.1). */
function maskBytes(data: Uint8Array, seed: Uint8Array, name: string): Buffer {
  const blocks = Array.from({ length: Math.ceil(data.length / 20) }, (_, index) =>
    hash(name, seed, Buffer.of(0, 0, 0, index)),
  )
  const mask = Buffer.concat(blocks)
  return Buffer.from(data.map((byte, index) => byte ^ (mask[index] ?? 0)))
}
