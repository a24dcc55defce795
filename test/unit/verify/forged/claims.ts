// Claims with a good signature of the issuer that say something else than what this service is to accept (RFC 9068
// section 4, RFC 7519 section 4.1, RFC 8725 sections 3.8 and 3.9).

import { AUDIENCE, CLAIMS, ISSUER, NOW_SECONDS, signToken } from '../issuer-fixture.ts'
import { type Forgery, forgeEach, HEADER, signSpelled } from './forgery.ts'

/** A forgery per value of one claim. */
const forgeClaim = (code: Forgery[1], name: string, values: readonly unknown[]): Promise<Forgery[]> =>
  forgeEach(
    code,
    Object.fromEntries(values.map((value) => [`${name} ${JSON.stringify(value)}`, value])),
    (value) => signToken({ ...CLAIMS, [name]: value }),
  )

const ISSUERS = [
  `${ISSUER}/`,
  `${ISSUER} `,
  `${ISSUER}\u0000`,
  `${ISSUER}:443`,
  `${ISSUER}#`,
  `${ISSUER}?`,
  `${ISSUER}.evil.example`,
  `${ISSUER}@evil.example`,
  ISSUER.toUpperCase(),
  ISSUER.replace('https', 'http'),
  ISSUER.replace('https', 'HTTPS'),
  ISSUER.replace('a', 'а'),
  ISSUER.replace('e', 'e\u0301'),
  ISSUER.replaceAll('.', '。'),
  ISSUER.replace('patmint', 'p%61tmint'),
  'patmint.example.com',
  'https://evil.example',
]

const AUDIENCES = [
  `${AUDIENCE}/`,
  `${AUDIENCE} https://other.example`,
  AUDIENCE.slice(0, -1),
  AUDIENCE.toUpperCase(),
  AUDIENCE.replace('a', 'а'),
  ['https://other.example', 'https://another.example'],
  '*',
]

const NO_TEXT = [null, '', 7, true, {}, [], [ISSUER]]
const NO_INSTANT = [null, '', String(CLAIMS.exp), 'tomorrow', true, {}, [], [CLAIMS.exp]]
const REQUIRED = ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'client_id', 'org', 'cred']

const spellClaim = (name: keyof typeof CLAIMS, spelled: string) =>
  signSpelled(
    JSON.stringify(HEADER),
    JSON.stringify(CLAIMS).replace(`"${name}":${JSON.stringify(CLAIMS[name])}`, `"${name}":${spelled}`),
  )

export const CLAIMS_OF_TOKENS: Forgery[] = [
  ...(await forgeClaim('issuer_mismatch', 'iss', ISSUERS)),
  ...(await forgeClaim('claim_invalid', 'iss', NO_TEXT)),
  ...(await forgeClaim('audience_mismatch', 'aud', AUDIENCES)),
  ...(await forgeClaim('claim_invalid', 'aud', [
    null,
    '',
    7,
    {},
    [],
    [''],
    [7],
    [[AUDIENCE]],
    [AUDIENCE, {}],
    [AUDIENCE, null],
    { 0: AUDIENCE, length: 1 },
    { [AUDIENCE]: true },
  ])),
  ...(await forgeClaim('claim_invalid', 'sub', NO_TEXT)),
  ...(await forgeClaim('claim_invalid', 'exp', NO_INSTANT)),
  ...(await forgeClaim('claim_invalid', 'iat', NO_INSTANT)),
  ...(await forgeClaim('claim_invalid', 'nbf', NO_INSTANT)),
  ...(await forgeClaim('claim_invalid', 'scope', [null, 7, [], ['models:read'], {}])),
  ...(await forgeClaim('claim_invalid', 'authorization_details', [null, 7, '[]', {}])),
  ...(await forgeClaim('claim_invalid', 'cnf', [null, 7, '', {}, { jkt: 7 }, { kid: 'key-ES256' }])),
  ...(await forgeClaim('token_expired', 'exp', [0, -1, -(2 ** 53), NOW_SECONDS - 3_600, NOW_SECONDS - 5])),
  ...(await forgeClaim('token_not_yet_valid', 'nbf', [NOW_SECONDS + 3_600, 2 ** 53, 1e300])),
  ...(await forgeEach(
    'claim_missing',
    Object.fromEntries(REQUIRED.map((name) => [`no ${name}`, name])),
    (name) => signToken({ ...CLAIMS, [name]: undefined }),
  )),
  ['exp 1e999', 'claim_invalid', await spellClaim('exp', '1e999')],
  ['iat -1e999', 'claim_invalid', await spellClaim('iat', '-1e999')],
  [
    'claims behind __proto__',
    'claim_missing',
    await signSpelled(JSON.stringify(HEADER), `{"__proto__":${JSON.stringify(CLAIMS)}}`),
  ],
  ['no claims at all', 'claim_missing', await signToken({})],
  [
    'a key it is bound to, and no proof',
    'proof_missing',
    await signToken({ ...CLAIMS, cnf: { jkt: 'A'.repeat(43) } }),
  ],
]
