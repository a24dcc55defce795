// One token exchange over HTTP, as a client: RFC 8693 section 2, RFC 6749 section 5. Prints nothing.

import type { PresentedCredential } from '../protocol/credential.ts'
import { fail, ok, type Result } from '../protocol/result.ts'
import { PAT_TYPE, TOKEN_EXCHANGE_GRANT } from '../protocol/urn.ts'
import { isCompactJwt } from '../verify/compact-jwt.ts'
import { formatEndpointUrl } from '../verify/issuer-url.ts'
import {
  asText,
  type JsonObject,
  type NoAnswer,
  parseObject,
  type ServerAnswer,
  sendRequest,
  type Transport,
} from './send-request.ts'

const CLIENT_ID = 'patmint-cli'

export interface ExchangeRequest {
  readonly issuer: string
  readonly credential: PresentedCredential
  /** None asks for the only audience the credential permits. */
  readonly audiences: readonly string[]
  /** None asks for all that is effective. */
  readonly scopes: readonly string[]
}

/** The successful response (RFC 8693 section 2.2.1), with every member the server sent. */
export interface TokenResponse {
  readonly access_token: string
  readonly token_type: string
  readonly [member: string]: unknown
}

/** Why there is no token. Only `refused` is about the request; the others are about the way there. */
export type ExchangeFailure =
  | {
      readonly reason: 'refused'
      readonly status: number
      readonly error?: string | undefined
      readonly description?: string | undefined
    }
  | NoAnswer

/** Exchanges a credential for an access token. Failures are returned, never thrown, and hold no credential. */
export async function exchangeCredential(
  request: ExchangeRequest,
  transport: Transport,
): Promise<Result<TokenResponse, ExchangeFailure>> {
  const url = formatEndpointUrl(request.issuer, '/oauth2/token')
  const headers = { accept: 'application/json' }
  const sent = await sendRequest(url, { method: 'POST', body: formatForm(request), headers }, transport)
  return sent.ok ? readAnswer(sent.value) : sent
}

function formatForm({ credential, audiences, scopes }: ExchangeRequest): URLSearchParams {
  const form = new URLSearchParams({
    grant_type: TOKEN_EXCHANGE_GRANT,
    client_id: CLIENT_ID,
    subject_token: credential.reveal(),
    subject_token_type: PAT_TYPE,
  })
  for (const audience of audiences) form.append('audience', audience)
  if (scopes.length > 0) form.set('scope', scopes.join(' '))
  return form
}

function readAnswer({ status, text }: ServerAnswer): Result<TokenResponse, ExchangeFailure> {
  const body = parseObject(text)
  if (status === 200) return readTokenResponse(body)
  if (status < 400) return fail({ reason: 'unexpected', detail: `it answered ${status}` })
  const [error, description] = [body['error'], body['error_description']]
  return fail({ reason: 'refused', status, error: asText(error), description: asText(description) })
}

function readTokenResponse(body: JsonObject): Result<TokenResponse, ExchangeFailure> {
  const { access_token: accessToken, token_type: tokenType } = body
  // RFC 6749 section 7.1: a token of a type we do not know is not to be used.
  if (!isCompactJwt(accessToken) || typeof tokenType !== 'string' || tokenType.toLowerCase() !== 'bearer') {
    return fail({ reason: 'unexpected', detail: 'it answered 200 without a bearer JWT' })
  }
  return ok({ ...body, access_token: accessToken, token_type: tokenType })
}
