// What a proxy asks at `/forward-auth`: the query says for which audience and scopes and is the proxy's own, the header
// holds the credential of whoever the proxy asks for. Pure: nothing else of a request is looked at, cookies included.

import type { IncomingMessage } from 'node:http'
import { errors } from 'oidc-provider'
import { fail, ok, type Result } from '../../protocol/result.ts'
import { ACCESS_TOKEN_TYPE } from '../../protocol/urn.ts'
import type { Refusal } from '../exchange/refusal.ts'
import { type ExchangeRequest, parseExchangeRequest } from '../exchange/request.ts'
import { toOAuthError } from './oauth-error.ts'

export interface Question {
  readonly request: ExchangeRequest
  /** The scopes the proxy wants, as it wrote them; undefined: all that are effective. */
  readonly scope: string | undefined
}

/** What the proxy wants: the same for all it asks for. */
interface Wanted {
  readonly audience: string
  readonly scope: string | undefined
}

const PARAMETERS = ['audience', 'scope'] as const
type Parameter = (typeof PARAMETERS)[number]

/** Envoy appends the path and the query of its client to what it is told to ask: from here on nothing is the proxy's. */
const APPENDED = /(^|&)original=.*$/s

const BEARER = /^Bearer +(\S.*)$/is

/**
 * The question of a request, or the refusal of what it presents; `undefined` when it presents nothing. Throws the OAuth
 * error of a query that is wrong, which is for whoever configured the proxy.
 */
export function readQuestion(
  request: Pick<IncomingMessage, 'headersDistinct'>,
  query: string,
): Result<Question, Refusal> | undefined {
  const wanted = readWanted(query)
  const token = readToken(request)
  const parameters = { ...wanted, subject_token: token ?? '', subject_token_type: ACCESS_TOKEN_TYPE }
  const asked = parseExchangeRequest(parameters, [])
  if (!asked.ok && asked.error.reason !== 'subject_token_refused') throw toOAuthError(asked.error)
  if (token === undefined) return undefined
  return asked.ok ? ok({ request: asked.value, scope: wanted.scope }) : fail(asked.error)
}

/** Strict where the token endpoint is not: a variable that came out empty must not ask for every scope there is. */
function readWanted(query: string): Wanted {
  const given = [...new URLSearchParams(query.replace(APPENDED, ''))]
  if (given.some(([name]) => !PARAMETERS.some((known) => known === name)))
    throw new errors.InvalidRequest('the query may hold audience and scope, and nothing else', undefined, {
      detail: 'parameter_unsupported',
    })
  const read = (parameter: Parameter): string | undefined => {
    const values = given.filter(([name]) => name === parameter).map(([, value]) => value)
    if (values.length > 1) throw toOAuthError({ reason: 'parameter_repeated', parameter })
    if (values[0] === '') throw toOAuthError({ reason: 'parameter_malformed', parameter })
    return values[0]
  }
  const audience = read('audience')
  if (audience === undefined) throw toOAuthError({ reason: 'parameter_missing', parameter: 'audience' })
  return { audience, scope: read('scope') }
}

/**
 * What stands behind the scheme Bearer; `undefined` without that (RFC 6750 section 3.1: another scheme is no credential
 * either). Two headers are no token, and neither is one with a DPoP proof: nothing given out here is bound to a key.
 */
function readToken({ headersDistinct }: Pick<IncomingMessage, 'headersDistinct'>): string | undefined {
  const { authorization = [], dpop } = headersDistinct
  const [token] = authorization.flatMap((value) => BEARER.exec(value)?.[1] ?? [])
  const isAlone = authorization.length === 1 && dpop === undefined
  return token === undefined || isAlone ? token : ''
}
