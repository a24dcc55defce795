// Valid requests to the OAuth endpoints, and what may become of one on its way: parameters lost, doubled, swapped, bent and
// filled with anything, bodies and headers with bytes nobody expects.

import fc from 'fast-check'
import { HOSTILE } from './hostile.ts'

export interface OAuthRequest {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A request before it is bent; `fields` in their order. */
export interface ValidRequest {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly fields: readonly (readonly [name: string, value: string])[]
}

type Mutation = (request: Bent) => Bent

interface Bent {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly fields: readonly (readonly [string, string])[]
  /** Applied to the encoded form. */
  readonly bend: (body: string) => string
}

const anyText = fc.oneof(
  fc.constantFrom(...HOSTILE.map(({ text }) => text)),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '',
    ' ',
    '0',
    'null',
    '[]',
    '{}',
    '[[[[',
    '{"__proto__":{}}',
    'a.b.c',
    '%',
    'x'.repeat(20_000),
  ),
)

/** The same text with one character lost, doubled or replaced. */
const bendText = fc
  .tuple(fc.nat(), fc.constantFrom('', '\0', ' ', '=', '%', '"', '\\', 'é', 'A'))
  .map(([at, put]) => (text: string) => {
    const place = text.length === 0 ? 0 : at % text.length
    return text.slice(0, place) + put + text.slice(place + (at % 2))
  })

const onFields =
  (change: (fields: Bent['fields']) => Bent['fields']): Mutation =>
  (request) => ({
    ...request,
    fields: change(request.fields),
  })

/** `change` of the field that is `at` steps along. */
const atField =
  (at: number, change: (field: readonly [string, string]) => Bent['fields']) =>
  (fields: Bent['fields']): Bent['fields'] =>
    fields.flatMap((field, index) => (index === at % Math.max(1, fields.length) ? change(field) : [field]))

const anyMutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.nat(40).map((at) => onFields(atField(at, () => []))),
  fc.nat(40).map((at) => onFields(atField(at, (field) => [field, field]))),
  fc.tuple(fc.nat(40), anyText).map(([at, text]) => onFields(atField(at, ([name]) => [[name, text]]))),
  fc.tuple(fc.nat(40), anyText).map(([at, text]) => onFields(atField(at, ([, value]) => [[text, value]]))),
  fc
    .tuple(fc.nat(40), bendText)
    .map(([at, bend]) => onFields(atField(at, ([name, value]) => [[name, bend(value)]]))),
  fc.tuple(anyText, anyText).map((field) => onFields((fields) => [...fields, field])),
  fc.nat(40).map((by) => onFields((fields) => [...fields.slice(by % 5), ...fields.slice(0, by % 5)])),
  bendText.map(
    (bend): Mutation =>
      (request) => ({ ...request, bend: (body: string) => bend(request.bend(body)) }),
  ),
  fc
    .constantFrom(
      'application/json',
      'text/plain',
      'multipart/form-data',
      'application/x-www-form-urlencoded; charset=utf-7',
    )
    .map(
      (type): Mutation =>
        (request) => ({ ...request, headers: { ...request.headers, 'Content-Type': type } }),
    ),
  fc
    .tuple(
      fc.constantFrom('Authorization', 'DPoP', 'Accept', 'Origin', 'X-Forwarded-For', 'Content-Encoding'),
      fc.constantFrom('Basic !', 'Basic Og==', 'Bearer x', 'a.b.c', 'null', '*/*', '::', ', ,', 'gzip'),
    )
    .map(
      ([name, value]): Mutation =>
        (request) => ({ ...request, headers: { ...request.headers, [name]: value } }),
    ),
)

/** One of `requests`, bent once to four times. */
export const anyMutated = (requests: readonly ValidRequest[]): fc.Arbitrary<OAuthRequest> =>
  fc
    .tuple(fc.constantFrom(...requests), fc.array(anyMutation, { minLength: 1, maxLength: 4 }))
    .map(([request, mutations]) => {
      const bent = mutations.reduce<Bent>((so, mutate) => mutate(so), { ...request, bend: (body) => body })
      const body = bent.fields.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&')
      return { path: bent.path, headers: bent.headers, body: bent.bend(body) }
    })

const encode = (text: string): string => encodeURIComponent(text.toWellFormed())
