// RFC 7009: `POST /oauth2/revoke`. Whoever holds a credential or an access token may burn it: possession is the
// authority, so that a value found in a log can be ended by whoever finds it. No client is authenticated, and `client_id` is not looked at.

import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import type { Context } from 'koa'
import type { Result } from '../../protocol/result.ts'
import type { Origin } from '../ledger/change.ts'
import type { TakePlace } from './in-flight.ts'
import {
  answerAsOAuth,
  bodyTooLarge,
  type OAuthBoundary,
  OAuthError,
  toTooManyRequests,
} from './oauth-boundary.ts'
import { describeOrigin } from './origin.ts'

export interface RevocationDependencies extends OAuthBoundary {
  /**
   * Ends the credential or access token of this value; one that is unknown, wrong or ended already is left alone. Fails
   * when too many were unknown or wrong.
   */
  readonly burn: (
    value: string,
    origin: Origin,
  ) => Promise<Result<unknown, { readonly retryAfterSeconds: number }>>
  readonly takePlace: TakePlace
  readonly clock: () => Date
}

const FORM = 'application/x-www-form-urlencoded'
const BODY_LIMIT = '16kb'
/** RFC 7009 section 2.1. Which kind of token it is follows from the value; the hint is only read. */
const PARAMETERS = ['token', 'token_type_hint']

const readText = bodyParser({ enableTypes: ['text'], extendTypes: { text: [FORM] }, textLimit: BODY_LIMIT })

const refuse = (description: string): OAuthError => new OAuthError(400, 'invalid_request', description)

/** The endpoint. What a client learns is that the value does not work any more, never whether it did. */
export function createRevocationRouter(path: string, dependencies: RevocationDependencies): Router {
  const { burn, takePlace, clock } = dependencies
  const router = new Router({ sensitive: true, strict: true })
  router.post(path, answerAsOAuth(dependencies), async (ctx) => {
    ctx.set('Cache-Control', 'no-store')
    const token = readToken(await readForm(ctx))
    takePlace(ctx)
    const burnt = await burn(token, describeOrigin(ctx, clock(), null))
    if (!burnt.ok) throw toTooManyRequests(burnt.error)
    ctx.body = ''
    ctx.remove('Content-Type')
  })
  return router
}

/** The form of a request; throws a refusal of anything else, and of one that cannot be read. */
async function readForm(ctx: Context): Promise<URLSearchParams> {
  const isPlain = /^(identity)?$/i.test(ctx.get('Content-Encoding'))
  if (ctx.is(FORM) === false || !isPlain) throw refuse(`the body must be ${FORM}`)
  await readText(ctx, async () => {}).catch((cause: unknown) => {
    const status = (cause as { status?: unknown } | null)?.status
    if (status === 413) throw bodyTooLarge()
    throw status === undefined ? cause : refuse('the body cannot be read')
  })
  return new URLSearchParams(typeof ctx.request.body === 'string' ? ctx.request.body : '')
}

function readToken(form: URLSearchParams): string {
  const repeated = PARAMETERS.find((name) => form.getAll(name).length > 1)
  if (repeated !== undefined) throw refuse(`${repeated} must not be repeated`)
  const token = form.get('token')
  if (!token) throw refuse('token is missing')
  return token
}
