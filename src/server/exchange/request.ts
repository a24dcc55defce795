// The parameters of RFC 8693 section 2.1, read strictly. Pure: garbage ends here, before any I/O.

import {
  type AuthorizationDetail,
  parseAuthorizationDetails,
  scopesOf,
} from '../../protocol/authorization-details.ts'
import { fail, ok, type Result } from '../../protocol/result.ts'
import { parseScopeParameter } from '../../protocol/scope.ts'
import { ACCESS_TOKEN_TYPE, JWT_TYPE, PAT_TYPE } from '../../protocol/urn.ts'
import { type Presented, parsePresented } from './present.ts'
import type { RequestRefusal } from './refusal.ts'

/** Form parameters: absent or empty is `undefined`, a repeated one is an array. */
export type TokenParameters = Readonly<Record<string, string | readonly string[] | undefined>>

/** What the grant reads; `audience` and `resource` may be repeated. */
export const EXCHANGE_PARAMETERS = [
  'subject_token',
  'subject_token_type',
  'audience',
  'resource',
  'scope',
  'authorization_details',
  'requested_token_type',
  'actor_token',
  'actor_token_type',
] as const
export const REPEATABLE_PARAMETERS = ['audience', 'resource'] as const
const SINGLE_PARAMETERS = EXCHANGE_PARAMETERS.filter((name) => name !== 'audience' && name !== 'resource')

/** What is asked for, of whichever credential. */
export interface ExchangeWish {
  /** Resource servers asked for, by `audience` or `resource`; empty for "the only one". */
  readonly audiences: readonly string[]
  /** Null: none is named. */
  readonly scopes: readonly string[] | null
  /** Null: none is given. */
  readonly details: readonly AuthorizationDetail[] | null
  /** Thumbprint of the key by which a verified proof was made (RFC 9449); absent: there was none. */
  readonly proofKey?: string
}

/** What scopes and details ask for together, as scopes; null for all that is effective. */
export const listAsked = ({ scopes, details }: ExchangeWish): readonly string[] | null =>
  details ? [...new Set([...(scopes ?? []), ...scopesOf(details)])] : scopes

export interface ExchangeRequest extends ExchangeWish {
  readonly subjectToken: Presented
  /** Who is to act for the subject; null: nobody else. */
  readonly actorToken: Presented | null
}

const MAX_AUDIENCES = 20
/** Every record of an attempt, whoever made it, holds all that was asked for. */
const MAX_SCOPES = 200

/** Reads a token exchange request. `aliases` are further subject token types that mean a credential. */
export function parseExchangeRequest(
  parameters: TokenParameters,
  aliases: readonly string[],
): Result<ExchangeRequest, RequestRefusal> {
  const wish = parseExchangeWish(parameters, aliases)
  if (!wish.ok) return wish
  const subjectToken = parsePresented(String(parameters['subject_token']), parameters['subject_token_type'])
  if (!subjectToken) return fail({ reason: 'subject_token_refused', cause: 'credential_malformed' })
  const hasActor = parameters['actor_token'] !== undefined
  const actorToken = hasActor
    ? parsePresented(String(parameters['actor_token']), parameters['actor_token_type'])
    : null
  if (actorToken === undefined) return fail({ reason: 'actor_token_refused', cause: 'credential_malformed' })
  return ok({ subjectToken, actorToken, ...wish.value })
}

/** Reads all of a request but what is presented: `subject_token` has to be there, and may be anything. */
export function parseExchangeWish(
  parameters: TokenParameters,
  aliases: readonly string[],
): Result<ExchangeWish, RequestRefusal> {
  const repeated = SINGLE_PARAMETERS.find((name) => Array.isArray(parameters[name]))
  if (repeated) return fail({ reason: 'parameter_repeated', parameter: repeated })
  const problem =
    findTokenProblem(parameters, aliases) ??
    findActorProblem(parameters, aliases) ??
    findTargetProblem(parameters)
  if (problem) return fail(problem)
  const { scope, authorization_details: text } = parameters
  const scopes = scope === undefined ? null : parseScopeParameter(String(scope))
  if (scopes === undefined) return fail({ reason: 'scope_malformed' })
  const details = text === undefined ? ok(null) : parseAuthorizationDetails(String(text))
  if (!details.ok) return fail({ reason: 'details_refused', cause: 'details_malformed' })
  const audiences = [...listOf(parameters['audience']), ...listOf(parameters['resource'])]
  const wish = { audiences: [...new Set(audiences)], scopes, details: details.value }
  if ((scopes?.length ?? 0) > MAX_SCOPES) return fail({ reason: 'scope_malformed' })
  return (listAsked(wish)?.length ?? 0) > MAX_SCOPES
    ? fail({ reason: 'details_refused', cause: 'details_malformed' })
    : ok(wish)
}

function findTokenProblem(
  parameters: TokenParameters,
  aliases: readonly string[],
): RequestRefusal | undefined {
  const missing = ['subject_token', 'subject_token_type'].find((name) => parameters[name] === undefined)
  if (missing) return { reason: 'parameter_missing', parameter: missing }
  if (!isTokenType(parameters['subject_token_type'], aliases))
    return { reason: 'parameter_unsupported', parameter: 'subject_token_type' }
  const requested = parameters['requested_token_type']
  const isSupported = requested === undefined || requested === ACCESS_TOKEN_TYPE || requested === JWT_TYPE
  return isSupported ? undefined : { reason: 'parameter_unsupported', parameter: 'requested_token_type' }
}

function findTargetProblem(parameters: TokenParameters): RequestRefusal | undefined {
  const resources = listOf(parameters['resource'])
  if (!resources.every(isAbsoluteUri)) return { reason: 'resource_malformed' }
  const audiences = listOf(parameters['audience'])
  return audiences.length + resources.length > MAX_AUDIENCES
    ? { reason: 'parameter_malformed', parameter: audiences.length > 0 ? 'audience' : 'resource' }
    : undefined
}

/** RFC 8693 section 2.1: both or neither. */
function findActorProblem(
  { actor_token: token, actor_token_type: type }: TokenParameters,
  aliases: readonly string[],
): RequestRefusal | undefined {
  if (token === undefined && type === undefined) return undefined
  if (token === undefined) return { reason: 'parameter_missing', parameter: 'actor_token' }
  if (type === undefined) return { reason: 'parameter_missing', parameter: 'actor_token_type' }
  return isTokenType(type, aliases)
    ? undefined
    : { reason: 'parameter_unsupported', parameter: 'actor_token_type' }
}

const isTokenType = (type: TokenParameters[string], aliases: readonly string[]): boolean =>
  [PAT_TYPE, ACCESS_TOKEN_TYPE, JWT_TYPE, ...aliases].includes(String(type))

function listOf(value: string | readonly string[] | undefined): readonly string[] {
  const values = typeof value === 'string' ? [value] : (value ?? [])
  return values.filter((one) => one !== '')
}

/** RFC 8707 section 2: an absolute URI without fragment. */
const isAbsoluteUri = (text: string): boolean =>
  /^[a-z][a-z0-9+.-]*:\S+$/i.test(text) && !text.includes('#') && URL.canParse(text)
