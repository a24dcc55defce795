import type { Context } from 'koa'
import { describe, expect, it } from 'vitest'
import { OverloadError } from '../../../../src/protocol/overload.ts'
import { observe } from '../../../../src/server/http/edge.ts'
import { createLogger } from '../../../../src/server/http/log.ts'
import { Problem } from '../../../../src/server/http/problem.ts'
import { PAT } from '../../protocol/credential-fixture.ts'
import { createContext, type FakeRequest } from './context-fixture.ts'

const OUTAGE = new Error('connect ECONNREFUSED 10.0.0.5:5432')
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** What a request got, and what was logged about it, when the rest of the server does `handle`. */
async function answer(handle: (ctx: Context) => unknown, request: FakeRequest = {}) {
  const lines: Record<string, unknown>[] = []
  const log = createLogger('debug', { write: (line) => void lines.push(JSON.parse(line)) })
  const ctx = createContext(request)
  await observe(log, (error) => error === OUTAGE)(ctx, async () => {
    await handle(ctx)
  })
  const { status, body, response } = ctx
  return { status, body, type: response.type, headers: response.headers, lines }
}

function raise(error: unknown): () => never {
  return () => {
    throw error
  }
}

describe('a request that is answered', () => {
  it('keeps its answer, and gets an id that the log knows too', async () => {
    const { status, body, headers, lines } = await answer((ctx) => {
      ctx.body = { fine: true }
    })
    expect([status, body]).toEqual([200, { fine: true }])
    expect(headers['x-request-id']).toMatch(UUID_V7)
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(lines).toMatchObject([
      {
        level: 'debug',
        msg: 'request',
        method: 'GET',
        path: '/',
        status: 200,
        requestId: headers['x-request-id'],
      },
    ])
  })

  it('is logged without its query', async () => {
    const { lines } = await answer((ctx) => ctx.throw(400), { url: '/p?token=pat_pasted-by-mistake' })
    expect(lines).toMatchObject([{ path: '/p', status: 400 }])
    expect(JSON.stringify(lines)).not.toContain('pasted')
  })

  it('is logged without a credential that someone put into its path', async () => {
    const { lines } = await answer(() => {}, { url: `/tokens/${PAT}` })
    expect(lines).toMatchObject([{ path: '/tokens/[redacted]', status: 404 }])
  })

  it('has another id each time', async () => {
    const ids = await Promise.all([1, 2].map(async () => (await answer(() => {})).headers['x-request-id']))
    expect(new Set(ids).size).toBe(2)
  })

  it('keeps a 404 that has a body', async () => {
    const { status, body } = await answer((ctx) => {
      ctx.status = 404
      ctx.body = { mine: true }
    })
    expect([status, body]).toEqual([404, { mine: true }])
  })
})

describe('a request that is not answered', () => {
  it('becomes a problem document', async () => {
    expect(await answer(() => {})).toMatchObject({
      status: 404,
      type: 'application/problem+json',
      body: { type: 'about:blank', title: 'Not found', status: 404, code: 'not_found' },
    })
  })
})

describe('a request that fails', () => {
  it('answers a problem as the document it is', async () => {
    const problem = new Problem('policy_violation', 'max_lifetime of the platform policy', {
      rule: 'max_lifetime',
    })
    expect(await answer(raise(problem))).toMatchObject({
      status: 422,
      type: 'application/problem+json',
      body: {
        type: 'about:blank',
        title: 'The expiry policy does not allow this',
        status: 422,
        code: 'policy_violation',
        detail: 'max_lifetime of the platform policy',
        rule: 'max_lifetime',
      },
    })
  })

  it.each([
    [400, 'invalid_request'],
    [405, 'method_not_allowed'],
    [413, 'payload_too_large'],
    [415, 'unsupported_media_type'],
  ])('answers the %d of a library as %s, without its words', async (status, code) => {
    const answered = await answer((ctx) => ctx.throw(status, 'words of the library'))
    expect(answered).toMatchObject({ status, type: 'application/problem+json', body: { status, code } })
    expect(JSON.stringify(answered.body)).not.toContain('words')
    expect(answered.lines.filter(({ level }) => level === 'error')).toEqual([])
  })

  it('answers an overload with 503 and when to come back, and logs no error of it', async () => {
    const { status, body, headers, lines } = await answer(raise(new OverloadError('too_many_in_flight')))
    expect([status, body, headers['retry-after']]).toEqual([
      503,
      { type: 'about:blank', title: 'Try again later', status: 503, code: 'temporarily_unavailable' },
      '1',
    ])
    expect(lines.filter(({ level }) => level === 'error')).toEqual([])
  })

  it.each([
    ['an error', new Error('secret detail')],
    ['an error of another status', Object.assign(new Error('secret detail'), { status: 418 })],
    ['text', 'secret detail'],
    ['null', null],
    ['nothing', undefined],
  ])('answers %s with 500 and nothing else, and logs it', async (_, thrown) => {
    const { status, body, lines, headers } = await answer(raise(thrown))
    expect([status, body]).toEqual([
      500,
      { type: 'about:blank', title: 'Something went wrong', status: 500, code: 'internal_error' },
    ])
    expect(headers['retry-after']).toBeUndefined()
    expect(lines).toMatchObject([
      { level: 'error', msg: 'request failed', requestId: headers['x-request-id'] },
      { level: 'debug', status: 500 },
    ])
  })

  it('answers an outage with 503, and when to come back', async () => {
    const { status, body, headers, lines } = await answer(raise(OUTAGE))
    expect([status, body]).toEqual([
      503,
      { type: 'about:blank', title: 'Try again later', status: 503, code: 'temporarily_unavailable' },
    ])
    expect(headers['retry-after']).toBe('1')
    expect(lines[0]).toMatchObject({ level: 'error', err: { message: OUTAGE.message } })
  })

  it('tells when to come back also where a handler answered 503 itself', async () => {
    const { headers } = await answer((ctx) => {
      ctx.status = 503
      ctx.body = {}
    })
    expect(headers['retry-after']).toBe('1')
  })
})
