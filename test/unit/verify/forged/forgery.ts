// What forged tokens are made with: a key of the forger's own, and signatures over text no library would sign.

import type { CryptoKey } from 'jose'
import type { SigningAlgorithm } from '../../../../src/protocol/access-token.ts'
import type { VerifyErrorCode } from '../../../../src/verify/verify-error.ts'
import { CLAIMS, createSigningKey, type SigningKey, signingKey, signToken } from '../issuer-fixture.ts'

/** A token that must not be accepted, and the code it is refused with. */
export type Forgery = readonly [name: string, code: VerifyErrorCode, token: unknown]

/** The forger's key, under the name of the issuer's. */
export const FORGER = await createSigningKey('ES256', 'key-ES256')

/** A token that is good, for the forger to change. */
export const GOOD = await signToken()

export const encodePart = (part: string | Uint8Array): string => Buffer.from(part).toString('base64url')

export const HEADER = { alg: 'ES256', typ: 'at+jwt', kid: 'key-ES256' }

const SIGN_ALGORITHMS: Record<SigningAlgorithm, { name: string; hash?: string; saltLength?: number }> = {
  ES256: { name: 'ECDSA', hash: 'SHA-256' },
  EdDSA: { name: 'Ed25519' },
  RS256: { name: 'RSASSA-PKCS1-v1_5' },
  PS256: { name: 'RSA-PSS', saltLength: 32 },
}

/** Header and payload as they are spelled here, with a signature over them. */
export async function signSpelled(
  header: string | Uint8Array,
  payload: string | Uint8Array,
  key: { readonly alg: SigningAlgorithm; readonly privateKey: CryptoKey } = signingKey('ES256'),
): Promise<string> {
  const input = `${encodePart(header)}.${encodePart(payload)}`
  const signature = await crypto.subtle.sign(SIGN_ALGORITHMS[key.alg], key.privateKey, Buffer.from(input))
  return `${input}.${encodePart(new Uint8Array(signature))}`
}

/** A header as JSON, with the issuer's signature: what another kind of token of the issuer's would look like. */
export const signHeader = (members: object): Promise<string> =>
  signSpelled(JSON.stringify({ ...HEADER, ...members }), JSON.stringify(CLAIMS))

/** A header of the forger's choice, with a signature that its own key confirms. */
export const forgeHeader = (members: object, key: SigningKey = FORGER): Promise<string> =>
  signSpelled(JSON.stringify({ ...HEADER, ...members }), JSON.stringify(CLAIMS), key)

/** Makes a forgery of each variant, all of one code. */
export const forgeEach = <Variant>(
  code: VerifyErrorCode,
  variants: Readonly<Record<string, Variant>>,
  make: (variant: Variant) => unknown,
): Promise<Forgery[]> =>
  Promise.all(
    Object.entries(variants).map(async ([name, variant]) => [name, code, await make(variant)] as const),
  )
