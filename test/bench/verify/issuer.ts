// An issuer without a server: a key, tokens as Patmint makes them, and what its endpoints would answer.

import { createPublicKey, type KeyObject, randomUUID } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'

/** What every library in the comparison can check. */
export const ALGORITHMS = ['ES256', 'RS256'] as const
export type Algorithm = (typeof ALGORITHMS)[number]

export interface Issuer {
  readonly algorithm: Algorithm
  readonly issuer: string
  readonly audience: string
  readonly jwk: JWK & { readonly kid: string; readonly kty: string }
  /** The public key, as each library wants it. */
  readonly cryptoKey: CryptoKey
  readonly keyObject: KeyObject
  readonly pem: string
  readonly tokens: readonly string[]
  /** One more token, to load keys with. */
  readonly spareToken: string
  /** Answers for its key set and its status list, without a network. */
  readonly fetch: (url: string) => Promise<Response>
}

const ISSUER = 'https://sts.example.com'
const AUDIENCE = 'https://api.example.com'
const LIST = `${ISSUER}/oauth2/status-lists/0`
const KID = 'fW5hX4kLw9eJ0cR2sT8uV1yZ3aB6dG7iN-oQpMxCkEs'
const LIFETIME_SECONDS = 3600
const STATUS_BITS = 2
const STATUS_ENTRIES = 2 ** 20

/** Makes the key and `count` tokens, all different, good for an hour. */
export async function createIssuer(algorithm: Algorithm, count: number): Promise<Issuer> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true })
  const jwk = { kty: '', ...(await exportJWK(publicKey)), alg: algorithm, kid: KID, use: 'sig' }
  const iat = Math.floor(Date.now() / 1000)
  const sign = (typ: string, claims: object): Promise<string> =>
    new SignJWT({ iat, exp: iat + LIFETIME_SECONDS, ...claims })
      .setProtectedHeader({ alg: algorithm, typ, kid: KID })
      .sign(privateKey)
  const signAccessToken = (_: unknown, index: number): Promise<string> => sign('at+jwt', composeClaims(index))
  const [spareToken = '', ...tokens] = await Promise.all(Array.from({ length: count + 1 }, signAccessToken))
  const statusList = await sign('statuslist+jwt', { sub: LIST, ttl: 300, status_list: composeStatusList() })
  const keyObject = createPublicKey({ key: jwk, format: 'jwk' })
  return {
    algorithm,
    issuer: ISSUER,
    audience: AUDIENCE,
    jwk,
    cryptoKey: publicKey,
    keyObject,
    pem: keyObject.export({ type: 'spki', format: 'pem' }).toString(),
    tokens,
    spareToken,
    fetch: async (url) => (url === LIST ? respondWithList(statusList) : Response.json({ keys: [jwk] })),
  }
}

const composeClaims = (index: number): object => ({
  iss: ISSUER,
  sub: randomUUID(),
  aud: AUDIENCE,
  jti: randomUUID(),
  client_id: 'patmint-cli',
  scope: 'models:read datasets:read',
  org: 'acme',
  cred: '0123456789abcdef',
  status: { status_list: { idx: index, uri: LIST } },
})

/** A whole list in which every status is valid. */
const composeStatusList = (): object => ({
  bits: STATUS_BITS,
  lst: deflateSync(Buffer.alloc((STATUS_ENTRIES * STATUS_BITS) / 8)).toString('base64url'),
})

const respondWithList = (list: string): Response =>
  new Response(list, { headers: { 'Content-Type': 'application/statuslist+jwt' } })
