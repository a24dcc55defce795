// JSON that two readers may understand differently (RFC 8725 section 2.6; RFC 7515 and RFC 7519, section 4). All of it
// has a good signature of the issuer.

import { CLAIMS } from '../issuer-fixture.ts'
import { type Forgery, forgeEach, HEADER, signSpelled } from './forgery.ts'

const header = JSON.stringify(HEADER)
const claims = JSON.stringify(CLAIMS)
/** Members in front of all others, which most readers would let the later ones override. */
const precede = (members: string, json: string): string => `{${members},${json.slice(1)}`
const follow = (json: string, members: string): string => `${json.slice(0, -1)},${members}}`
const UTF8_BOM = '\uFEFF'

const HEADERS: Record<string, string | Uint8Array> = {
  'alg twice': precede('"alg":"none"', header),
  'alg twice, the same, one of them escaped': follow(header, '"\\u0061lg":"ES256"'),
  'typ twice': precede('"typ":"JWT"', header),
  'kid twice, one of them escaped': precede('"\\u006bid":"other"', header),
  'jwk with a member twice': follow(header, '"jwk":{"kty":"EC","kty":"oct"}'),
  'a member of no meaning twice': follow(header, '"x":1,"x":1'),
  'a byte order mark before the header': UTF8_BOM + header,
  'a header in UTF-16': Buffer.from(header, 'utf16le'),
  'a header in Latin-1': Buffer.from(follow(header, '"x":"é"'), 'latin1'),
  'an overlong encoding in the header': Buffer.concat([
    Buffer.from(header.slice(0, -1)),
    Buffer.from([0x2c, 0x22, 0xc1, 0xa1, 0x22, 0x3a, 0x31, 0x7d]),
  ]),
  'half a surrogate pair in the kid': follow(
    JSON.stringify({ ...HEADER, kid: undefined }),
    '"kid":"\\ud800"',
  ),
  'half a surrogate pair in a name': follow(header, '"\\udc00":1'),
  'a header nested 5,000 deep': follow(header, `"x":${'['.repeat(5_000)}${']'.repeat(5_000)}`),
  'a header that is an array': `[${header}]`,
  'a header that is text': JSON.stringify(header),
  'a header that is null': 'null',
  'a header with a trailing comma': `${header.slice(0, -1)},}`,
  'a header with a comment': `${header.slice(0, -1)}/**/}`,
  'two headers': header + header,
  'NUL after the header': `${header}\u0000`,
}

const PAYLOADS: Record<string, string | Uint8Array> = {
  'exp twice': precede('"exp":0', claims),
  'exp twice, the same': follow(claims, `"exp":${CLAIMS.exp}`),
  'iss twice': precede('"iss":"https://evil.example"', claims),
  'aud twice': precede('"aud":"https://evil.example"', claims),
  'sub twice, one of them escaped': follow(claims, '"s\\u0075b":"admin"'),
  'scope twice': follow(claims, '"scope":"models:*"'),
  'a member of act twice': follow(claims, '"act":{"sub":"a","sub":"b"}'),
  'a member in a list twice': follow(claims, '"authorization_details":[{"type":"a","type":"b"}]'),
  '__proto__ twice': follow(claims, '"__proto__":{},"__proto__":{}'),
  'a name with a colon in a text before it, twice': follow(claims, '"a":"\\":","b\\\\":1,"b\\\\":2'),
  'a byte order mark before the claims': UTF8_BOM + claims,
  'claims in UTF-16': Buffer.from(claims, 'utf16le'),
  'claims in UTF-16 with a byte order mark': Buffer.from(UTF8_BOM + claims, 'utf16le'),
  'a stray byte in the claims': Buffer.concat([Buffer.from(claims), Buffer.from([0xff])]),
  'half a surrogate pair in sub': claims.replace('"sub":"', '"sub":"\\ud83d'),
  'a surrogate pair the wrong way round': follow(claims, '"x":"\\ude00\\ud83d"'),
  'a surrogate encoded as UTF-8': Buffer.concat([
    Buffer.from(`${claims.slice(0, -1)},"x":"`),
    Buffer.from([0xed, 0xa0, 0x80, 0x22, 0x7d]),
  ]),
  'claims nested 1,600 deep': follow(claims, `"x":${'{"x":'.repeat(1_600)}1${'}'.repeat(1_600)}`),
  'claims in an array': `[${claims}]`,
  'claims as text': JSON.stringify(claims),
  'no claims but null': 'null',
  'no claims but a number': '1',
  'claims with a trailing comma': `${claims.slice(0, -1)},}`,
  'claims with a single-quoted name': follow(claims, "'x':1"),
  'claims with NaN': claims.replace(`"exp":${CLAIMS.exp}`, '"exp":NaN'),
  'claims with a hexadecimal number': claims.replace(`"exp":${CLAIMS.exp}`, '"exp":0x7fffffff'),
  'claims twice': claims + claims,
  'NUL after the claims': `${claims}\u0000`,
}

export const SPELLINGS: Forgery[] = [
  ...(await forgeEach('token_malformed', HEADERS, (spelled) => signSpelled(spelled, claims))),
  ...(await forgeEach('token_malformed', PAYLOADS, (spelled) => signSpelled(header, spelled))),
]
