// Requests as bytes, made before the clock runs.

import { PAT_TYPE, TOKEN_EXCHANGE_GRANT } from '../../../src/protocol/urn.ts'

export const AUDIENCE = 'https://api.example.com'
export const SCOPE = 'models:read'

/** A token exchange by the public client `patmint-cli`. */
export function composeExchange(subjectToken: string): Buffer {
  const form = new URLSearchParams({
    grant_type: TOKEN_EXCHANGE_GRANT,
    client_id: 'patmint-cli',
    subject_token: subjectToken,
    subject_token_type: PAT_TYPE,
    audience: AUDIENCE,
    scope: SCOPE,
  }).toString()
  const head = [
    'POST /oauth2/token HTTP/1.1',
    'Host: localhost',
    'User-Agent: patmint-bench',
    'Content-Type: application/x-www-form-urlencoded',
    `Content-Length: ${Buffer.byteLength(form)}`,
  ].join('\r\n')
  return Buffer.from(`${head}\r\n\r\n${form}`)
}

export const composeGet = (path: string): Buffer =>
  Buffer.from(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: patmint-bench\r\n\r\n`)

/** The requests over and over. */
export function repeatRequests(requests: readonly Buffer[]): () => Buffer {
  let index = 0
  return () => {
    const request = requests[index++ % requests.length]
    if (!request) throw new Error('there are no requests')
    return request
  }
}

/** Each of the requests once, then null. */
export function spendRequests(requests: readonly Buffer[]): () => Buffer | null {
  let index = 0
  return () => requests[index++] ?? null
}
