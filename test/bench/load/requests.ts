// Requests as bytes, made before the clock runs.

import { PAT_TYPE, TOKEN_EXCHANGE_GRANT } from '../../../src/protocol/urn.ts'

// Names in `stage/directory.yaml`.
export const AUDIENCE = 'https://api.example.com'
export const SCOPE = 'models:read'

/** A token exchange by the public client `patmint-cli`. */
export const composeExchange = (subjectToken: string): Buffer =>
  composePost('/oauth2/token', {
    grant_type: TOKEN_EXCHANGE_GRANT,
    client_id: 'patmint-cli',
    subject_token: subjectToken,
    subject_token_type: PAT_TYPE,
    audience: AUDIENCE,
    scope: SCOPE,
  })

/** A form. */
export function composePost(
  path: string,
  form: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Buffer {
  const body = new URLSearchParams(form).toString()
  return composeRequest(`POST ${path}`, body, {
    'Content-Type': 'application/x-www-form-urlencoded',
    'Content-Length': String(Buffer.byteLength(body)),
    ...headers,
  })
}

export const composeGet = (path: string): Buffer => composeRequest(`GET ${path}`, '', {})

function composeRequest(line: string, body: string, headers: Readonly<Record<string, string>>): Buffer {
  const all = Object.entries({ Host: 'localhost', 'User-Agent': 'patmint-bench', ...headers })
  const fields = all.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return Buffer.from(`${line} HTTP/1.1\r\n${fields}\r\n${body}`)
}

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
