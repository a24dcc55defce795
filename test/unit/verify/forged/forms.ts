// What is not exactly one JWS in compact serialization, one spelling of it, of bounded length (RFC 7515 section 7.1).

import { CompactEncrypt, importJWK } from 'jose'
import { CLAIMS, signingKey, signToken } from '../issuer-fixture.ts'
import { type Forgery, forgeEach, GOOD } from './forgery.ts'

const [HEAD = '', PAYLOAD = '', SIGNATURE = ''] = GOOD.split('.')
const FLATTENED = { protected: HEAD, payload: PAYLOAD, signature: SIGNATURE }
const GENERAL = { payload: PAYLOAD, signatures: [{ protected: HEAD, signature: SIGNATURE }] }

const encrypted = await new CompactEncrypt(Buffer.from(GOOD))
  .setProtectedHeader({ alg: 'RSA-OAEP', enc: 'A256GCM', typ: 'at+jwt', cty: 'JWT', kid: 'key-RS256' })
  .encrypt(await importJWK({ ...signingKey('RS256').publicJwk, alg: 'RSA-OAEP', use: 'enc' }))

/** The next character of the alphabet: with the bits a decoder throws away set, where `part` has such. */
const setTrailingBits = (part: string): string =>
  part.slice(0, -1) + String.fromCharCode((part.at(-1) ?? '').charCodeAt(0) + 1)

/** Payloads of every length, until the part has bits to spare. */
const spareBits = async (length: number): Promise<string> =>
  (await signToken({ ...CLAIMS, pad: 'x'.repeat(length) })).split('.').slice(0, 2).join('.')

const PADDED_PAYLOAD =
  (await Promise.all([0, 1, 2].map(spareBits))).find((text) => (text.split('.')[1]?.length ?? 0) % 4 === 2) ??
  ''

const FORMS: Record<string, unknown> = {
  'an empty string': '',
  'a padded signature': `${GOOD}==`,
  'a padded header': `${HEAD}=.${PAYLOAD}.${SIGNATURE}`,
  'a padded payload': `${HEAD}.${PAYLOAD}==.${SIGNATURE}`,
  'padding with a percent sign': `${GOOD}%3D%3D`,
  'a line break at the end': `${GOOD}\n`,
  'CRLF at the end': `${GOOD}\r\n`,
  'a line break at the beginning': `\n${GOOD}`,
  'a line break inside the signature': `${GOOD.slice(0, -8)}\n${GOOD.slice(-8)}`,
  'a line break after a dot': GOOD.replace('.', '.\n'),
  'NUL at the end': `${GOOD}\u0000`,
  'NUL inside': GOOD.replace('.', '\u0000.'),
  'a space at the end': `${GOOD} `,
  'a tab at the beginning': `\t${GOOD}`,
  'a no-break space at the end': `${GOOD}\u00A0`,
  'a zero-width space inside': GOOD.replace('.', '\u200B.'),
  'a byte order mark': `\uFEFF${GOOD}`,
  'a line separator at the end': `${GOOD}\u2028`,
  'a scheme before it': `Bearer ${GOOD}`,
  quotes: `"${GOOD}"`,
  'a dot at the end': `${GOOD}.`,
  'a dot at the beginning': `.${GOOD}`,
  'two parts': `${HEAD}.${PAYLOAD}`,
  'four parts': `${GOOD}.AAAA`,
  'five parts': `${GOOD}.AAAA.AAAA`,
  'the token encrypted to the issuer': encrypted,
  'the token with a disclosure': `${GOOD}~AAAA~`,
  'the token twice, with a comma': `${GOOD},${GOOD}`,
  'the token twice': `${GOOD}${GOOD}`,
  'a detached payload': `${HEAD}..${SIGNATURE}`,
  'no header': `.${PAYLOAD}.${SIGNATURE}`,
  'dots of full width': GOOD.replaceAll('.', '．'),
  'dots with a percent sign': GOOD.replaceAll('.', '%2E'),
  'a letter of full width': GOOD.replace('e', 'ｅ'),
  'a letter of another script': GOOD.replace('e', 'е'),
  'the other alphabet': `${HEAD}.${PAYLOAD}.${SIGNATURE.slice(0, -4)}+/+A`,
  'bits to spare in the signature': setTrailingBits(GOOD),
  'bits to spare in the payload': `${setTrailingBits(PADDED_PAYLOAD)}.${SIGNATURE}`,
  'a part one character too long': `${GOOD}AAA`,
  'JSON serialization, flattened': JSON.stringify(FLATTENED),
  'JSON serialization, general': JSON.stringify(GENERAL),
  'JSON serialization as an object': FLATTENED,
  'a list of tokens': [GOOD],
  'a String object': new String(GOOD),
  'an object that becomes the token': { toString: () => GOOD },
  bytes: Buffer.from(GOOD),
  undefined: undefined,
  null: null,
  'a number': 7,
  'three dots': '...',
  '100,000 dots': '.'.repeat(100_000),
  '16,384 dots': '.'.repeat(16_384),
  '16,384 characters without a dot': 'A'.repeat(16_384),
  '8,192 parts': 'A.'.repeat(8_192),
  'two long parts and a third that breaks': `${'A'.repeat(8_000)}.${'A'.repeat(8_000)}.!`,
  'a million characters': `${'A'.repeat(1_000_000)}.AAAA.AAAA`,
  'a good signature over 13 KB of claims': await signToken({ ...CLAIMS, pad: 'x'.repeat(12_288) }),
  'a good signature over a megabyte of claims': await signToken({ ...CLAIMS, pad: 'x'.repeat(1_000_000) }),
}

export const FORMS_OF_TOKENS: Forgery[] = await forgeEach('token_malformed', FORMS, (token) => token)
