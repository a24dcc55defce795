// One HTTP request to the issuer. Bounded in time and size; redirects are refused, for they would carry the credential
// elsewhere. Prints nothing.

import { fail, ok, type Result } from '../protocol/result.ts'
import { readBoundedText } from '../verify/bounded-body.ts'

const MAX_RESPONSE_BYTES = 256 * 1024

export interface Transport {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  readonly timeoutMs: number
  readonly userAgent: string
}

export interface ServerAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** Why there is no answer to rely on: nothing of it is about the request. */
export type NoAnswer =
  | { readonly reason: 'busy'; readonly status: number; readonly retryAfter?: string | undefined }
  | { readonly reason: 'unreachable'; readonly detail: string }
  | { readonly reason: 'unexpected'; readonly detail: string }

/** Sends a request and reads the answer, which is a success or about the request. Failures are returned, never thrown. */
export async function sendRequest(
  url: string,
  init: RequestInit & { readonly headers: Readonly<Record<string, string>> },
  { fetch, timeoutMs, userAgent }: Transport,
): Promise<Result<ServerAnswer, NoAnswer>> {
  try {
    const response = await fetch(url, {
      ...init,
      headers: { ...init.headers, 'user-agent': userAgent },
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    })
    const { status, headers } = response
    const text = await readBoundedText(response, MAX_RESPONSE_BYTES)
    if (status === 429 || status >= 500)
      return fail({ reason: 'busy', status, retryAfter: headers.get('retry-after') ?? undefined })
    if (status >= 300 && status < 400) return fail({ reason: 'unexpected', detail: `it answered ${status}` })
    return ok({ status, headers, text })
  } catch (error) {
    return fail({ reason: 'unreachable', detail: describeNetworkError(error, timeoutMs) })
  }
}

export type JsonObject = Readonly<Record<string, unknown>>

/** The object that `text` is in JSON; an empty one for anything else. */
export function parseObject(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

export const asText = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

function describeNetworkError(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return 'unknown error'
  if (error.name === 'TimeoutError') return `no answer within ${timeoutMs / 1000} s`
  // fetch hides the system's reason one level down.
  const { cause } = error
  if (cause instanceof Error) return 'code' in cause ? String(cause.code) : cause.message
  return error.message
}
