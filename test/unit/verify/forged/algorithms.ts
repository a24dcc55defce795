// Algorithms a token may claim for itself (RFC 8725 sections 2.1, 3.1 and 3.2).

import { createHmac, createPublicKey, type KeyObject } from 'node:crypto'
import { exportJWK } from 'jose'
import { assembleToken, CLAIMS, signingKey } from '../issuer-fixture.ts'
import { encodePart, FORGER, type Forgery, forgeEach, HEADER } from './forgery.ts'

const unsigned = (alg: unknown): string => assembleToken({ ...HEADER, alg }, CLAIMS, '')

const NONE = await forgeEach(
  'alg_not_allowed',
  Object.fromEntries(
    ['none', 'None', 'NONE', 'nOnE', 'none ', 'none\u0000'].map((alg) => [`alg ${JSON.stringify(alg)}`, alg]),
  ),
  (alg) => `${unsigned(alg)}AAAA`,
)

const OTHERS = await forgeEach(
  'alg_not_allowed',
  Object.fromEntries(
    [
      undefined,
      null,
      '',
      256,
      {},
      ['ES256'],
      { toString: 'ES256' },
      'es256',
      'ES256 ',
      'ЕS256',
      'ES384',
      'ES512',
      'ES256K',
      'RS1',
      'RS512',
      'Ed25519',
      'HS384',
      'dir',
      'constructor',
      '__proto__',
    ].map((alg) => [`alg ${JSON.stringify(alg)}`, alg]),
  ),
  (alg) => `${unsigned(alg)}AAAA`,
)

/** Ways in which a service may hold the public key as text or bytes, any of which a MAC could be keyed with. */
const encodePublicKey = async (key: KeyObject): Promise<Record<string, string | Buffer>> => {
  const pem = key.export({ type: 'spki', format: 'pem' }).toString()
  const jwk = await exportJWK(key)
  return {
    'SPKI PEM': pem,
    'SPKI PEM without its last line break': pem.trimEnd(),
    'SPKI PEM with CRLF': pem.replaceAll('\n', '\r\n'),
    'SPKI DER': key.export({ type: 'spki', format: 'der' }),
    'base64 of the DER': key.export({ type: 'spki', format: 'der' }).toString('base64'),
    JWK: JSON.stringify(jwk),
    'raw key': Buffer.from(jwk.n ?? `${jwk.x}${jwk.y}`, 'base64url'),
  }
}

const macWith = (kid: string) => (secret: string | Buffer) => {
  const input = unsignedInput({ ...HEADER, alg: 'HS256', kid })
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

const unsignedInput = (header: object): string =>
  `${encodePart(JSON.stringify(header))}.${encodePart(JSON.stringify(CLAIMS))}`

const forgeMacs = async (alg: 'ES256' | 'RS256'): Promise<Forgery[]> => {
  const { publicJwk, kid } = signingKey(alg)
  const encodings = await encodePublicKey(createPublicKey({ format: 'jwk', key: { ...publicJwk } }))
  const named = Object.entries(encodings).map(([name, secret]) => [
    `HS256 keyed with the ${alg} key as ${name}`,
    secret,
  ])
  return forgeEach('alg_not_allowed', Object.fromEntries(named), macWith(kid))
}

const macAsEs256 = createHmac('sha256', '').update(unsignedInput(HEADER)).digest('base64url')

export const ALGORITHMS: Forgery[] = [
  ...NONE,
  ['alg none without a signature', 'token_malformed', unsigned('none')],
  ['ES256 without a signature', 'token_malformed', unsigned('ES256')],
  ...OTHERS,
  ...(await forgeMacs('ES256')),
  ...(await forgeMacs('RS256')),
  ['HS256 keyed with nothing', 'alg_not_allowed', macWith('key-ES256')('')],
  ['HS256 keyed with the kid', 'alg_not_allowed', macWith('key-ES256')('key-ES256')],
  ['a MAC that calls itself ES256', 'signature_invalid', `${unsignedInput(HEADER)}.${macAsEs256}`],
  ...(await forgeEach(
    'alg_not_allowed',
    { 'PBES2 with four thousand million rounds': { alg: 'PBES2-HS256+A128KW', p2c: 2 ** 32, p2s: 'AAAA' } },
    (members) => assembleToken({ ...HEADER, ...members, jwk: FORGER.publicJwk }, CLAIMS, 'AAAA'),
  )),
]
