// One token exchange over HTTP, as a client: RFC 8693 section 2, RFC 6749 section 5. Bounded in time and size;
// redirects are refused, for they would carry the credential elsewhere. Prints nothing.

import type { PresentedCredential } from '../protocol/credential.ts'
import { fail, ok, type Result } from '../protocol/result.ts'
import { PAT_TYPE, TOKEN_EXCHANGE_GRANT } from '../protocol/urn.ts'
import { readBoundedText } from '../verify/bounded-body.ts'
import { isCompactJwt } from '../verify/compact-jwt.ts'
import { formatEndpointUrl } from '../verify/issuer-url.ts'

const CLIENT_ID = 'patmint-cli'
const MAX_RESPONSE_BYTES = 256 * 1024

export interface ExchangeRequest {
  readonly issuer: string
  readonly credential: PresentedCredential
  /** None asks for the only audience the credential permits. */
  readonly audiences: readonly string[]
  /** None asks for all that is effective. */
  readonly scopes: readonly string[]
}

export interface ExchangeTransport {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  readonly timeoutMs: number
  readonly userAgent: string
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
  | { readonly reason: 'busy'; readonly status: number; readonly retryAfter?: string | undefined }
  | { readonly reason: 'unreachable'; readonly detail: string }
  | { readonly reason: 'unexpected'; readonly detail: string }

/** Exchanges a credential for an access token. Failures are returned, never thrown, and hold no credential. */
export async function exchangeCredential(
  request: ExchangeRequest,
  { fetch, timeoutMs, userAgent }: ExchangeTransport,
): Promise<Result<TokenResponse, ExchangeFailure>> {
  try {
    const response = await fetch(formatEndpointUrl(request.issuer, '/oauth2/token'), {
      method: 'POST',
      body: formatForm(request),
      headers: { accept: 'application/json', 'user-agent': userAgent },
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    })
    return readAnswer(response, await readBoundedText(response, MAX_RESPONSE_BYTES))
  } catch (error) {
    return fail({ reason: 'unreachable', detail: describeNetworkError(error, timeoutMs) })
  }
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

function readAnswer({ status, headers }: Response, text: string): Result<TokenResponse, ExchangeFailure> {
  const body = parseObject(text)
  if (status === 200) return readTokenResponse(body)
  if (status === 429 || status >= 500) {
    return fail({ reason: 'busy', status, retryAfter: headers.get('retry-after') ?? undefined })
  }
  if (status < 400) return fail({ reason: 'unexpected', detail: `it answered ${status}` })
  const [error, description] = [body['error'], body['error_description']]
  return fail({ reason: 'refused', status, error: asText(error), description: asText(description) })
}

function readTokenResponse(body: Readonly<Record<string, unknown>>): Result<TokenResponse, ExchangeFailure> {
  const { access_token: accessToken, token_type: tokenType } = body
  // RFC 6749 section 7.1: a token of a type we do not know is not to be used.
  if (!isCompactJwt(accessToken) || typeof tokenType !== 'string' || tokenType.toLowerCase() !== 'bearer') {
    return fail({ reason: 'unexpected', detail: 'it answered 200 without a bearer JWT' })
  }
  return ok({ ...body, access_token: accessToken, token_type: tokenType })
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

const asText = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

function describeNetworkError(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return 'unknown error'
  if (error.name === 'TimeoutError') return `no answer within ${timeoutMs / 1000} s`
  // fetch hides the system's reason one level down.
  const { cause } = error
  if (cause instanceof Error) return 'code' in cause ? String(cause.code) : cause.message
  return error.message
}
