// Requests as a client would make them.

import { PAT_TYPE, TOKEN_EXCHANGE_GRANT } from '../../src/protocol/urn.ts'
import { API_PREFIX, findContractProblem } from './api-contract.ts'
import { canary } from './evidence.ts'

export type Form = Record<string, string | readonly string[] | undefined>

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: Record<string, unknown>
}

async function toAnswer(response: Response): Promise<Answer> {
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: text ? (JSON.parse(text) as Record<string, unknown>) : {},
  }
}

function encodeForm(form: Form): URLSearchParams {
  const pairs = Object.entries(form).flatMap(([name, value]) => {
    const values = value === undefined ? [] : typeof value === 'string' ? [value] : value
    return values.map((one): [string, string] => [name, one])
  })
  return new URLSearchParams(pairs)
}

/** A token exchange by the public CLI client, with `form` over the usual parameters. */
export async function requestExchange(
  serverUrl: string,
  form: Form,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const body = encodeForm({
    grant_type: TOKEN_EXCHANGE_GRANT,
    client_id: 'patmint-cli',
    subject_token_type: PAT_TYPE,
    ...form,
  })
  return toAnswer(await fetch(`${serverUrl}/oauth2/token`, { method: 'POST', body, headers }))
}

/** The access token of an exchange, which has to be granted. */
export async function obtainToken(
  serverUrl: string,
  form: Form,
  headers: Record<string, string> = {},
): Promise<string> {
  const answer = await requestExchange(serverUrl, form, headers)
  if (answer.status !== 200) throw new Error(answer.text)
  return String(answer.json['access_token'])
}

/** A revocation (RFC 7009), without client authentication. */
export async function requestRevocation(
  serverUrl: string,
  form: Form,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const body = encodeForm(form)
  return toAnswer(await fetch(`${serverUrl}/oauth2/revoke`, { method: 'POST', body, headers }))
}

/** An introspection (RFC 7662). */
export async function requestIntrospection(
  serverUrl: string,
  form: Form,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const body = encodeForm(form)
  return toAnswer(await fetch(`${serverUrl}/oauth2/introspect`, { method: 'POST', body, headers }))
}

/** A call of the management API. Every answer is held against the OpenAPI document. */
export async function callApi(
  serverUrl: string,
  token: string | undefined,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const answer = await toAnswer(
    await fetch(`${serverUrl}${API_PREFIX}${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  )
  const problem = findContractProblem(method, path.split('?')[0] ?? path, answer)
  if (problem !== null) throw new Error(`${method} ${path}: ${problem}`)
  return answer
}

/** Issues a PAT for the user with this e-mail address; gives its value. */
export async function issuePat(
  serverUrl: string,
  adminToken: string,
  email: string,
  body: Record<string, unknown>,
): Promise<string> {
  const users = await callApi(serverUrl, adminToken, 'GET', `/users?email=${encodeURIComponent(email)}`)
  const [user] = users.json['items'] as { id: string }[]
  if (!user) throw new Error(`no user ${email}: ${users.text}`)
  const issued = await callApi(serverUrl, adminToken, 'POST', `/users/${user.id}/tokens`, body)
  if (issued.status !== 201) throw new Error(`PAT not issued: ${issued.text}`)
  return canary(String(issued.json['token']))
}
