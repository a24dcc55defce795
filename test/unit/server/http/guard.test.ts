import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { checkBody, checkQuery } from '../../../../src/server/http/guard.ts'
import { Problem } from '../../../../src/server/http/problem.ts'
import { createContext } from './context-fixture.ts'

const schema = z.strictObject({
  name: z.string().trim().min(1),
  limit: z.coerce.number().max(9).default(5),
  tags: z.array(z.string()).optional(),
})

function documentOf(attempt: () => unknown): Record<string, unknown> | undefined {
  try {
    attempt()
  } catch (error) {
    if (error instanceof Problem) return error.toDocument()
    throw error
  }
  return undefined
}

function check(body: unknown) {
  const ctx = createContext()
  ctx.request.body = body
  return checkBody(ctx, schema)
}

describe('checkBody', () => {
  it('gives what the schema makes of the body', () => {
    expect(check({ name: ' laptop ', limit: '7' })).toEqual({ name: 'laptop', limit: 7 })
    expect(check({ name: 'laptop' })).toEqual({ name: 'laptop', limit: 5 })
  })

  it('refuses with 400 and names every problem by its path', () => {
    expect(documentOf(() => check({ limit: 10, tags: ['a', 7] }))).toEqual({
      type: 'about:blank',
      title: 'The request is not valid',
      status: 400,
      code: 'invalid_request',
      detail: expect.stringMatching(/^name: .+; limit: .+; tags\.1: .+$/),
      problems: [
        { path: 'name', message: expect.any(String) },
        { path: 'limit', message: expect.any(String) },
        { path: 'tags.1', message: expect.any(String) },
      ],
    })
  })

  it('refuses a member the schema does not know', () => {
    expect(documentOf(() => check({ name: 'laptop', admin: true }))).toMatchObject({
      code: 'invalid_request',
      problems: [{ path: '', message: expect.stringContaining('admin') }],
    })
  })

  it('takes no body for an empty object', () => {
    expect(documentOf(() => check(undefined))).toMatchObject({ problems: [{ path: 'name' }] })
  })

  it.each([[[]], ['text'], [7]])('refuses a body of %j', (body) => {
    expect(documentOf(() => check(body))).toMatchObject({ status: 400, problems: [{ path: '' }] })
  })
})

describe('checkQuery', () => {
  it('reads the query of the request', () => {
    expect(checkQuery(createContext({ url: '/p?name=a%20b&limit=3' }), schema)).toEqual({
      name: 'a b',
      limit: 3,
    })
  })

  it('refuses a parameter that is repeated where one is meant', () => {
    expect(documentOf(() => checkQuery(createContext({ url: '/p?name=a&name=b' }), schema))).toMatchObject({
      problems: [{ path: 'name' }],
    })
  })
})
