// JSON, paths and queries meant to break something, at every operation of the management API: answered or refused, never
// a fault, and one line in the log for each request.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Operation } from '../../src/server/api/operation.ts'
import { OPERATIONS } from '../../src/server/api/operations.ts'
import { type AttackedServer, startAttackedServer } from '../support/attacked-server.ts'
import { HOSTILE, MALFORMED_ENCODINGS } from '../support/hostile.ts'
import { describeBody, sampleBody, sampleParams, type Targets, toPath } from '../support/operation-samples.ts'
import type { Answer } from '../support/requests.ts'

let server: AttackedServer
let targets: Targets
beforeAll(async () => {
  server = await startAttackedServer()
  targets = server.targets
})
afterAll(() => server.stop())

const methodOf = ({ method }: Operation): string => method.toUpperCase()
const pathOf = (operation: Operation): string => toPath(operation, sampleParams(operation, targets))
const named = (operations: readonly Operation[]) =>
  operations.map((operation) => [`${methodOf(operation)} ${operation.path}`, operation] as const)

const withParams = named(OPERATIONS.filter(({ params }) => params))
const withBody = named(OPERATIONS.filter(({ body }) => body))
const withQuery = named(OPERATIONS.filter(({ query }) => query))

/** Sends each of `requests`; gives those whose answer has none of the statuses, each with the one it had. */
async function findUnexpected(
  requests: readonly string[],
  statuses: readonly number[],
  send: (request: string) => Promise<Answer>,
): Promise<string[]> {
  const answers = await Promise.all(requests.map(send))
  return answers.flatMap(({ status }, index) =>
    statuses.includes(status) ? [] : [`${status}: ${requests[index]?.slice(0, 300)}`],
  )
}

/** What a URL can hold of each hostile text; without the empty one, which makes a path another one. */
const ENCODED = [
  ...HOSTILE.filter(({ text }) => text.isWellFormed() && text !== '').map(({ text }) =>
    encodeURIComponent(text),
  ),
  ...MALFORMED_ENCODINGS,
]

// Before there is anything with such a name.
describe('the path of', () => {
  it.each(withParams)('%s: what names nothing is not there', async (_, operation) => {
    const values = sampleParams(operation, targets)
    const text = operation.body ? JSON.stringify(sampleBody(operation, targets)) : undefined
    const paths = Object.keys(values).flatMap((name) =>
      ENCODED.map((value) => toPath(operation, { ...values, [name]: value })),
    )
    const send = (path: string) => server.send(methodOf(operation), path, text)
    expect(await findUnexpected(paths, [400, 404], send)).toEqual([])
  })
})

const NESTED = 6000
/** JSON values as text: some have no other form. */
const HOSTILE_JSON = [
  ...HOSTILE.map(({ text }) => JSON.stringify(text)),
  '1e999',
  '-1e999',
  '1e-999',
  '9007199254740993',
  '-0',
  'null',
  'true',
  '[]',
  '{}',
  '{"a":{"b":"c"}}',
  '{"__proto__":{"isPlatformWide":true}}',
  '{"constructor":{"prototype":{"isPlatformWide":true}}}',
  '["__proto__",["constructor"]]',
  '['.repeat(NESTED) + ']'.repeat(NESTED),
  `${'{"a":'.repeat(NESTED)}1${'}'.repeat(NESTED)}`,
]

/** All that an operation answers that is no fault. `/leaks` has a limit, which these requests meet. */
const NO_FAULT = [200, 201, 204, 400, 403, 404, 409, 412, 415, 422, 429]

describe('the body of', () => {
  it.each(withBody)('%s: no value of a member is a fault', async (_, operation) => {
    const sample = sampleBody(operation, targets)
    const texts = describeBody(operation).members.flatMap((member) => {
      const { [member]: _replaced, ...rest } = sample
      const others = Object.keys(rest).length > 0 ? `,${JSON.stringify(rest).slice(1)}` : '}'
      return HOSTILE_JSON.map((value) => `{"${member}":${value}${others}`)
    })
    const send = (text: string) => server.send(methodOf(operation), pathOf(operation), text)
    expect(await findUnexpected(texts, NO_FAULT, send)).toEqual([])
  })

  it.each(withBody)('%s: is an object in well-formed JSON, or refused', async (_, operation) => {
    const sample = JSON.stringify(sampleBody(operation, targets))
    const texts = [
      ...HOSTILE_JSON.filter((value) => !value.startsWith('{') && value !== 'null'),
      ...[' ', '{', `${sample}${sample}`, `[${sample}]`, '{"a":"\u0001"}', "{'name':'x'}", '{name:"x"}'],
      ...[`{"":1,${sample.slice(1)}`, `{"\\ud800":1,${sample.slice(1)}`, '{"a":undefined}', 'NaN'],
    ]
    const send = (text: string) => server.send(methodOf(operation), pathOf(operation), text)
    expect(await findUnexpected(texts, [400, 429], send)).toEqual([])
  })

  it.each(withBody)('%s: names nothing that every object has', async (_, operation) => {
    const sample = JSON.stringify(sampleBody(operation, targets)).slice(1)
    const names = ['__proto__', '\\u005f_proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']
    const texts = names.map((name) => `{"${name}":{"name":"x","isPlatformWide":true},${sample}`)
    const send = (text: string) => server.send(methodOf(operation), pathOf(operation), text)
    expect(await findUnexpected(texts, [400, 429], send)).toEqual([])
    expect('isPlatformWide' in {}).toBe(false)
  })

  it.each(withBody)('%s: names no member twice', async (_, operation) => {
    const members = JSON.stringify(sampleBody(operation, targets)).slice(1, -1)
    const texts = members === '' ? [] : [`{${members},${members}}`]
    const send = (text: string) => server.send(methodOf(operation), pathOf(operation), text)
    expect(await findUnexpected(texts, [400, 429], send)).toEqual([])
  })
})

/** Cursors in the right form, at the ends of time and with what no list gave. */
const CURSORS = ['0000-01-01', '0001-01-01', '2026-02-30', '9999-12-31'].flatMap((day) =>
  ['0123456789abcdef', '01234567-89ab-7def-8123-456789abcdef', "' or 1=1", '\0', 'a\nb', '🐘'].map((id) =>
    Buffer.from(`${day}T00:00:00.000Z ${id}`).toString('base64url'),
  ),
)
const INSTANTS = ['0000-01-01', '0001-01-01', '9999-12-31', '+275760-09-13'].map((day) => `${day}T00:00:00Z`)
const QUERY_VALUES = [...ENCODED, ...CURSORS, ...INSTANTS.map(encodeURIComponent), '', '1e999', '-1', '0x10']

describe('the query of', () => {
  it.each(withQuery)('%s: no value is a fault', async (_, operation) => {
    const names = Object.keys(operation.query?.shape ?? {})
    const paths = names.flatMap((name) =>
      QUERY_VALUES.map((value) => `${pathOf(operation)}?${name}=${value}`),
    )
    const send = (path: string) => server.send(methodOf(operation), path)
    expect(await findUnexpected(paths, [200, 400, 404], send)).toEqual([])
  })

  it.each(withQuery)('%s: takes nothing twice, and nothing it does not know', async (_, operation) => {
    const queries = ['limit=1&limit=2', '__proto__=1', 'constructor=1', 'limit[]=1', '%00=1', '%ff=1', 'x']
    const paths = queries.map((query) => `${pathOf(operation)}?${query}`)
    const send = (path: string) => server.send(methodOf(operation), path)
    expect(await findUnexpected(paths, [400], send)).toEqual([])
  })
})

describe('the log', () => {
  it('has one line for each of these requests, and nothing else', () => {
    const { calls, problems } = server.readLog()
    expect(problems).toEqual([])
    expect(calls).toBeGreaterThan(5000)
  })
})
