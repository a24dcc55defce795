// One call of the management API as the credential itself (contract section 4). What it prints is the commands' business.

import { fail, ok, type Result } from '../protocol/result.ts'
import { formatEndpointUrl } from '../verify/issuer-url.ts'
import type { Source } from './resolve-source.ts'
import {
  asText,
  type JsonObject,
  type NoAnswer,
  parseObject,
  type ServerAnswer,
  sendRequest,
  type Transport,
} from './send-request.ts'

export interface ApiCall {
  readonly method: 'GET' | 'POST' | 'PUT'
  /** Below `/api/v1`. */
  readonly path: `/${string}`
  readonly body?: unknown
  /** The version that a change is of. */
  readonly ifMatch?: string
}

export interface ApiAnswer {
  readonly body: JsonObject
  /** What `If-Match` takes; null where the object has no versions. */
  readonly version: string | null
}

/** A problem document (RFC 9457): the server understood and said no. */
export interface ApiRefusal {
  readonly reason: 'refused'
  readonly status: number
  /** Stable; absent when it was no problem document of Patmint's. */
  readonly code: string | undefined
  readonly detail: string | undefined
  /** The whole document. */
  readonly members: JsonObject
}

export type ApiFailure = ApiRefusal | NoAnswer

/** Failures are returned, never thrown, and hold no credential. */
export type CallApi = (call: ApiCall) => Promise<Result<ApiAnswer, ApiFailure>>

export function createCallApi({ issuer, credential }: Source, transport: Transport): CallApi {
  return async ({ method, path, body, ifMatch }) => {
    const headers = {
      accept: 'application/json, application/problem+json',
      authorization: `Bearer ${credential.reveal()}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
    }
    const payload = body === undefined ? {} : { body: JSON.stringify(body) }
    const url = formatEndpointUrl(issuer, `/api/v1${path}`)
    const sent = await sendRequest(url, { method, headers, ...payload }, transport)
    return sent.ok ? readAnswer(sent.value) : sent
  }
}

function readAnswer({ status, headers, text }: ServerAnswer): Result<ApiAnswer, ApiFailure> {
  const members = parseObject(text)
  if (status < 400) return ok({ body: members, version: headers.get('etag') })
  const { code, detail, title } = members
  return fail({
    reason: 'refused',
    status,
    code: asText(code),
    detail: asText(detail) ?? asText(title),
    members,
  })
}
