// RFC 7009: `POST /oauth2/revoke`. Whoever holds a credential may burn it: possession is the authority, so that a value
// found in a log can be ended by whoever finds it. No client is authenticated, and `client_id` is not looked at.

import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import type { Context, Middleware } from 'koa'
import type { Origin } from '../ledger/change.ts'
import type { Logger } from './log.ts'
import { describeOrigin } from './origin.ts'

export interface RevocationDependencies {
  /** Ends the credential of this value; one that is unknown, wrong or ended already is left alone. */
  readonly burn: (value: string, origin: Origin) => Promise<void>
  readonly isOutage: (error: unknown) => boolean
  readonly log: Logger
  readonly clock: () => Date
}

const FORM = 'application/x-www-form-urlencoded'
const BODY_LIMIT = '16kb'
/** Of the form alone: a JWT has no other characters, and a credential no dot. */
const LIKE_JWT = /^[\w-]+\.[\w-]+\.[\w-]*$/
/** RFC 7009 section 2.1. Which kind of token it is follows from the value; the hint is only read. */
const PARAMETERS = ['token', 'token_type_hint']

const readText = bodyParser({ enableTypes: ['text'], extendTypes: { text: [FORM] }, textLimit: BODY_LIMIT })

class Refusal extends Error {
  readonly error: 'invalid_request' | 'unsupported_token_type'

  constructor(error: Refusal['error'], description: string) {
    super(description)
    this.error = error
  }
}

/** The endpoint. What a client learns is that the value does not work any more, never whether it did. */
export function createRevocationRouter(path: string, dependencies: RevocationDependencies): Router {
  const { burn, clock } = dependencies
  const router = new Router({ sensitive: true, strict: true })
  router.post(path, answerFaults(dependencies), async (ctx) => {
    ctx.set('Cache-Control', 'no-store')
    const token = readToken(await readForm(ctx))
    await burn(token, describeOrigin(ctx, clock(), null))
    ctx.body = ''
    ctx.remove('Content-Type')
  })
  return router
}

/** The form of a request; throws a refusal of anything else, and of one that cannot be read. */
async function readForm(ctx: Context): Promise<URLSearchParams> {
  const isPlain = /^(identity)?$/i.test(ctx.get('Content-Encoding'))
  if (ctx.is(FORM) === false || !isPlain) throw new Refusal('invalid_request', `the body must be ${FORM}`)
  await readText(ctx, async () => {}).catch((cause: unknown) => {
    const status = (cause as { status?: unknown } | null)?.status
    throw status === undefined ? cause : new Refusal('invalid_request', 'the body cannot be read')
  })
  return new URLSearchParams(typeof ctx.request.body === 'string' ? ctx.request.body : '')
}

function readToken(form: URLSearchParams): string {
  const repeated = PARAMETERS.find((name) => form.getAll(name).length > 1)
  if (repeated !== undefined) throw new Refusal('invalid_request', `${repeated} must not be repeated`)
  const token = form.get('token')
  if (!token) throw new Refusal('invalid_request', 'token is missing')
  if (LIKE_JWT.test(token)) throw new Refusal('unsupported_token_type', 'access tokens end by themselves')
  return token
}

/** What goes wrong is told as OAuth tells it (RFC 7009 section 2.2.1), whatever it is. */
function answerFaults({ isOutage, log }: RevocationDependencies): Middleware {
  const answer = (ctx: Context, status: number, error: string, description: string): void => {
    ctx.status = status
    ctx.body = { error, error_description: description }
  }
  return async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      if (error instanceof Refusal) return answer(ctx, 400, error.error, error.message)
      log.error({ err: error, requestId: ctx.state['requestId'] }, 'revocation request failed')
      if (isOutage(error)) answer(ctx, 503, 'temporarily_unavailable', 'try again later')
      else answer(ctx, 500, 'server_error', 'something went wrong')
    }
  }
}
