import { describe, expect, it } from 'vitest'
import { findContractProblem } from '../../support/api-contract.ts'

const PROBLEM = { type: 'about:blank', title: 'x' }

/** What is wrong with a problem document of this status and code with these headers, as an answer to GET /tokens. */
const judge = (status: number, code: string, headers: Record<string, string>): string | null =>
  findContractProblem('GET', '/tokens', {
    status,
    headers: new Headers({ 'Content-Type': 'application/problem+json', ...headers }),
    json: { ...PROBLEM, status, code },
    text: '{}',
  })

describe('an answer is held against the headers of the document', () => {
  it.each<[number, string, Record<string, string>]>([
    [401, 'unauthorized', { 'WWW-Authenticate': 'Bearer' }],
    [403, 'forbidden', { 'WWW-Authenticate': 'Bearer error="insufficient_scope"' }],
    [403, 'forbidden', {}],
    [503, 'temporarily_unavailable', { 'Retry-After': '1' }],
    [500, 'internal_error', { 'X-Request-Id': 'of no matter' }],
  ])('%i %s with %j is as declared', (status, code, headers) => {
    expect(judge(status, code, headers)).toBeNull()
  })

  it.each([
    [401, 'unauthorized', 'WWW-Authenticate'],
    [503, 'temporarily_unavailable', 'Retry-After'],
  ] as const)('%i %s lacks %s', (status, code, name) => {
    expect(judge(status, code, {})).toBe(`listTokens answers ${status} without ${name}`)
  })

  it.each([
    [500, 'internal_error', 'Retry-After'],
    [500, 'internal_error', 'ETag'],
    [400, 'invalid_request', 'WWW-Authenticate'],
    [401, 'unauthorized', 'Location'],
  ] as const)('%i %s with an undeclared %s', (status, code, name) => {
    expect(judge(status, code, { 'WWW-Authenticate': 'Bearer', [name]: 'x' })).toContain(
      `which is not in the document`,
    )
  })
})
