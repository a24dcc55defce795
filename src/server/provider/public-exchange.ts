// The straight way of an exchange: past oidc-provider, whose work is to authenticate clients. A public client has
// nothing to authenticate by, and what it asks for is the most of what there is to do. Whatever is not plainly that goes
// on to oidc-provider, unread.

import type { Context, Middleware } from 'koa'
import { errors } from 'oidc-provider'
import { TOKEN_EXCHANGE_GRANT } from '../../protocol/urn.ts'
import type { Client } from '../directory/client-store.ts'
import { type Form, readExchangeRequest } from './admission.ts'
import { type LoadClient, mayBeClientId } from './client-id.ts'
import { type ExchangeInTimeDependencies, exchangeInTime } from './exchange-in-time.ts'
import { readFormIf, TOKEN_FORM_BYTES } from './form.ts'
import { toAnswerable } from './oauth-error.ts'
import type { ReportError } from './report.ts'
import { toTokenResponse } from './token-response.ts'

export interface PublicExchangeDependencies extends ExchangeInTimeDependencies {
  readonly loadClient: LoadClient
  readonly reportError: ReportError
}

/** An exchange that names a client and brings nothing to authenticate it by. */
interface PublicForm extends Form {
  readonly client_id: string
}

export function createPublicExchange(dependencies: PublicExchangeDependencies): Middleware {
  return async (ctx, next) => {
    const form = isPlain(ctx) ? await readFormIf(ctx.req, isPublicExchange) : undefined
    if (form === undefined) return next()
    // Nobody is there to be answered.
    if (form === null) return
    setHeaders(ctx)
    let client: Client | undefined
    const findClient = async (): Promise<Client> => {
      client = mayBeClientId(form.client_id) ? await dependencies.loadClient(form.client_id) : undefined
      return requirePublic(client)
    }
    try {
      const request = readExchangeRequest(form, dependencies)
      ctx.body = toTokenResponse(await exchangeInTime(ctx, request, findClient, dependencies))
    } catch (cause) {
      const error = toAnswerable(cause)
      ctx.status = error.statusCode
      ctx.body = { error: error.error, error_description: error.error_description }
      dependencies.reportError(ctx, error, client?.clientId)
    }
  }
}

const FORM_TYPE = /^application\/x-www-form-urlencoded(; ?charset=utf-8)?$/i

/** A form of a stated length within the limit, and no header by which a client authenticates itself. */
function isPlain({ req: { method, headers } }: Context): boolean {
  const length = Number(headers['content-length'])
  return (
    method === 'POST' &&
    FORM_TYPE.test(headers['content-type'] ?? '') &&
    length > 0 &&
    length <= TOKEN_FORM_BYTES &&
    headers.authorization === undefined
  )
}

const isPublicExchange = (form: Form): form is PublicForm =>
  form['grant_type'] === TOKEN_EXCHANGE_GRANT &&
  typeof form['client_id'] === 'string' &&
  form['client_id'] !== '' &&
  !form['client_secret'] &&
  !form['client_assertion'] &&
  !form['client_assertion_type']

/** No cookie is in play, so any page may read what it asked for (Fetch standard, CORS protocol). */
function setHeaders(ctx: Context): void {
  ctx.set('Cache-Control', 'no-store')
  const { origin } = ctx.req.headers
  if (origin === undefined) return
  ctx.set('Access-Control-Allow-Origin', origin)
  ctx.set('Access-Control-Expose-Headers', 'WWW-Authenticate')
  ctx.set('Vary', 'Origin')
}

function requirePublic(client: Client | undefined): Client {
  if (!client) throw new errors.InvalidClientAuth('client not found')
  if (client.authMethod !== 'none')
    throw new errors.InvalidClientAuth('the client has to authenticate itself')
  return client
}
