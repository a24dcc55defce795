import type { Context } from 'koa'
import { describe, expect, it } from 'vitest'
import { OverloadError } from '../../../../src/protocol/overload.ts'
import { createLogger } from '../../../../src/server/http/log.ts'
import { answerAsOAuth, OAuthError, toTooManyRequests } from '../../../../src/server/http/oauth-boundary.ts'

/** What is answered, and logged, when an endpoint throws `cause`. */
async function answerTo(cause: unknown) {
  const lines: Record<string, unknown>[] = []
  const log = createLogger('info', { write: (line) => lines.push(JSON.parse(line)) })
  const headers: Record<string, string> = {}
  const ctx = {
    state: { requestId: 'r1' },
    set: (name: string, value: string) => {
      headers[name] = value
    },
  } as unknown as Context
  const isOutage = (error: unknown): boolean => error instanceof Error && error.message === 'away'
  await answerAsOAuth({ isOutage, log })(ctx, () => Promise.reject(cause))
  return { answer: [ctx.status, ctx.body, headers], logged: lines.map(({ level, msg }) => [level, msg]) }
}

const NO_STORE = { 'Cache-Control': 'no-store' }
const UNAVAILABLE = { error: 'temporarily_unavailable', error_description: 'try again later' }
const FAULT = ['error', 'request failed']

describe('the boundary of OAuth endpoints', () => {
  it.each([
    [
      'an OAuth error',
      new OAuthError(400, 'invalid_request', 'token is missing'),
      [400, { error: 'invalid_request', error_description: 'token is missing' }, NO_STORE],
      [],
    ],
    [
      'too many failures',
      toTooManyRequests({ retryAfterSeconds: 7 }),
      [
        429,
        { error: 'temporarily_unavailable', error_description: 'too many failed attempts, try again later' },
        { ...NO_STORE, 'Retry-After': '7' },
      ],
      [],
    ],
    ['an overload, unlogged', new OverloadError('hash_queue_full'), [503, UNAVAILABLE, NO_STORE], []],
    ['a database that is away', new Error('away'), [503, UNAVAILABLE, NO_STORE], [FAULT]],
    [
      'a bug, of which it tells nothing',
      new TypeError('x is undefined'),
      [500, { error: 'server_error', error_description: 'something went wrong' }, NO_STORE],
      [FAULT],
    ],
  ])('answers %s', async (_name, cause, answer, logged) => {
    expect(await answerTo(cause)).toEqual({ answer, logged })
  })
})
