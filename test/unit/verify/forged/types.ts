// Tokens the issuer did sign, but not as access tokens (RFC 8725 sections 2.8, 3.11 and 3.12), and headers that would
// have them understood in another way than they are signed (RFC 7515 section 4.1.11, RFC 7797).

import { type Forgery, forgeEach, signHeader } from './forgery.ts'

const TYPES: unknown[] = [
  undefined,
  null,
  '',
  0,
  {},
  ['at+jwt'],
  { toString: 'at+jwt' },
  'JWT',
  'jwt',
  'JOSE',
  'dpop+jwt',
  'statuslist+jwt',
  'logout+jwt',
  'secevent+jwt',
  'oauth-authz-req+jwt',
  'token-introspection+jwt',
  'client-authentication+jwt',
  'application/jwt',
  'application/application/at+jwt',
  'text/at+jwt',
  '/at+jwt',
  'at+jwt,JWT',
  'at+jwt; charset=utf-8',
  ' at+jwt',
  'at+jwt ',
  'at+jwt\n',
  'at+jwt\u0000',
  'at+jwts',
  'at＋jwt',
  'аt+jwt',
]

const CRITICAL: Record<string, object> = {
  'an unknown critical extension': { crit: ['urn:example:must'], 'urn:example:must': true },
  'a critical member of the claims': { crit: ['exp'], exp: 1 },
  'a critical member every reader knows': { crit: ['kid'] },
  'a critical extension that is not there': { crit: ['absent'] },
  'no critical extension in the list': { crit: [] },
  'crit as text': { crit: 'b64' },
  'crit as null': { crit: null },
  'crit as an object': { crit: {} },
  'a critical b64 of false': { crit: ['b64'], b64: false },
  'a critical b64 of true': { crit: ['b64'], b64: true },
  'b64 of false': { b64: false },
  'b64 as text': { b64: 'false' },
}

export const TYPES_AND_EXTENSIONS: Forgery[] = [
  ...(await forgeEach(
    'typ_mismatch',
    Object.fromEntries(TYPES.map((typ) => [`typ ${JSON.stringify(typ)}`, typ])),
    (typ) => signHeader({ typ }),
  )),
  ...(await forgeEach('header_invalid', CRITICAL, signHeader)),
]
