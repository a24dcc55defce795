// `/forward-auth` as a proxy asks it.

import { canary } from './evidence.ts'
import type { Answer } from './requests.ts'

export interface ForwardAnswer extends Answer {
  /** The access token that is to be passed on. */
  readonly token: string | undefined
}

export const bearer = (credential: string): Record<string, string> => ({
  Authorization: `Bearer ${credential}`,
})

/** Asks with this query, which is sent as it is given or as a form would write it. */
export async function askForwardAuth(
  serverUrl: string,
  query: string | Record<string, string>,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<ForwardAnswer> {
  const written = typeof query === 'string' ? query : new URLSearchParams(query).toString()
  const response = await fetch(`${serverUrl}/forward-auth?${written}`, { method, headers })
  const [, token] = /^Bearer (\S+)$/.exec(response.headers.get('authorization') ?? '') ?? []
  if (token !== undefined) canary(token)
  const text = await response.text()
  const json = text ? (JSON.parse(text) as Record<string, unknown>) : {}
  return { status: response.status, headers: response.headers, text, json, token }
}

/** The claims of a token, unverified. */
export const claimsOf = (token: string | undefined): Record<string, unknown> =>
  JSON.parse(Buffer.from(token?.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>
