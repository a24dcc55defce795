// Base64url that is not what an encoder makes (RFC 7515 section 2, RFC 4648 sections 3.2 to 3.5), in each of the three
// parts. Header and payload are signed as they are spelled, so that nothing is wrong but the spelling.

import { sign } from 'node:crypto'
import { CLAIMS, JWKS, signingKey } from '../issuer-fixture.ts'
import { encodePart, findFirst, privateKeyOf, type Vector } from './vector.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

const key = signingKey('ES256')
const privateKey = privateKeyOf(key)
const signInput = (input: string): string =>
  encodePart(sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }))

/** JSON that ends in so many bytes of an incomplete group of three. */
const encodeWithRest = (members: object, rest: number): string =>
  encodePart(
    findFirst(
      (length) => JSON.stringify({ ...members, pad: 'x'.repeat(length) }),
      (json) => json.length % 3 === rest,
    ),
  )

/** How often the last character can be another one without a decoder noticing, by what is left of a group. */
const SPARE_SPELLINGS: Record<number, number> = { 1: 16, 2: 4 }

/** All other spellings of what `part` decodes to. */
const respell = (part: string): string[] => {
  const first = ALPHABET.indexOf(part.at(-1) ?? '')
  const spellings = SPARE_SPELLINGS[Buffer.from(part, 'base64url').length % 3] ?? 1
  return Array.from({ length: spellings - 1 }, (_, index) => part.slice(0, -1) + ALPHABET[first + index + 1])
}

/** What decoders overlook, and only the strict ones do not. */
const SPOILERS: Record<string, (part: string) => string> = {
  padding: (part) => part.padEnd(part.length + ((4 - (part.length % 4)) % 4 || 4), '='),
  'one character of padding': (part) => `${part}=`,
  'a space inside': (part) => `${part.slice(0, 4)} ${part.slice(4)}`,
  'a space after it': (part) => `${part} `,
  'a line break inside': (part) => `${part.slice(0, 4)}\n${part.slice(4)}`,
  'a line break after it': (part) => `${part}\n`,
  'CRLF inside': (part) => `${part.slice(0, 4)}\r\n${part.slice(4)}`,
  'a tab before it': (part) => `\t${part}`,
  'NUL after it': (part) => `${part}\u0000`,
  'a character of no alphabet': (part) => `${part.slice(0, 4)}*${part.slice(4)}`,
  'a character beyond ASCII': (part) => `${part.slice(0, 4)}é${part.slice(4)}`,
  'one character more': (part) =>
    part + 'A'.repeat(((5 - (part.length % 4)) % 4) + (part.length % 4 === 1 ? 4 : 0)),
  'an empty part': () => '',
}

type Part = 'header' | 'payload' | 'signature'

/** The token in which `spell` has changed one part, with everything else as it has to be for that. */
function composeToken(header: string, payload: string, part: Part, spell: (part: string) => string): string {
  const spelledHeader = part === 'header' ? spell(header) : header
  const spelledPayload = part === 'payload' ? spell(payload) : payload
  const input = `${spelledHeader}.${spelledPayload}`
  return `${input}.${part === 'signature' ? spell(signInput(input)) : signInput(input)}`
}

const toVectors = (names: Readonly<Record<string, string>>): Vector[] =>
  Object.entries(names).map(([name, token]) => ({ name, code: 'token_malformed', token, keys: JWKS.keys }))

const HEADER = { alg: key.alg, typ: 'at+jwt', kid: key.kid }
const PARTS: readonly Part[] = ['header', 'payload', 'signature']

const SPARE_BITS = PARTS.flatMap((part) =>
  [1, 2].flatMap((rest) => {
    const [header, payload] = [encodeWithRest(HEADER, rest), encodeWithRest(CLAIMS, rest)]
    const others = SPARE_SPELLINGS[part === 'signature' ? 1 : rest] ?? 1
    return Array.from({ length: others - 1 }, (_, index) => [
      `${part}: ${rest} bytes over, spelling ${index + 1}`,
      composeToken(header, payload, part, (text) => respell(text)[index] ?? text),
    ])
  }),
)

/** Encoded, `?` and `>` at these places are characters that differ between the alphabets. */
const other = (part: string): string => part.replaceAll('-', '+').replaceAll('_', '/')
const rich = (members: object): string =>
  findFirst(
    (length) => encodePart(JSON.stringify({ ...members, pad: `${'x'.repeat(length)}???>>>` })),
    (part) => other(part) !== part,
  )

const SPOILED = PARTS.flatMap((part) =>
  Object.entries(SPOILERS).map(([name, spoil]) => [
    `${part}: ${name}`,
    composeToken(encodeWithRest(HEADER, 1), encodeWithRest(CLAIMS, 1), part, spoil),
  ]),
)

const OTHER_ALPHABET = PARTS.map((part) => [
  `${part}: the other alphabet`,
  findFirst(
    (attempt) => composeToken(rich({ ...HEADER, attempt }), rich({ ...CLAIMS, attempt }), part, other),
    (token) => /[+/]/.test(token),
  ),
])

export const ENCODING_VECTORS: Vector[] = toVectors(
  Object.fromEntries([...SPARE_BITS, ...SPOILED, ...OTHER_ALPHABET]),
)

/** The same by the same hand, spelled as an encoder does. */
export const ENCODED_BY_HAND = composeToken(
  encodeWithRest(HEADER, 1),
  encodeWithRest(CLAIMS, 2),
  'header',
  (part) => part,
)
