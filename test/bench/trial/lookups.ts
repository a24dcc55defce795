// What services ask for beside exchanges: the keys, and introspection.

import { composeGet, composePost, repeatRequests } from '../load/requests.ts'
import { exchangeOnce, type Patmint } from '../stage/patmint.ts'
import { CLIENT } from '../stage/server.ts'
import type { Arena, Session } from './session.ts'

const CONNECTIONS = 64
/** How many tokens are asked about. */
const TOKENS = 100

/** JWKS, which every verifier fetches now and then. */
export async function measureJwks(session: Session, { small }: Arena): Promise<void> {
  await measureLookup(session, small, 'jwks', repeatRequests([composeGet('/.well-known/jwks.json')]))
}

/** Introspection (RFC 7662) of access tokens by an authenticated client. */
export async function measureIntrospection(session: Session, { small }: Arena): Promise<void> {
  const path = await findIntrospection(small.server.url)
  const bodies = await Promise.all(
    small.pats.slice(0, TOKENS).map((pat) => exchangeOnce(small.server.url, pat)),
  )
  const tokens = bodies.map((body) => (JSON.parse(body) as { access_token: string }).access_token)
  const authorization = `Basic ${Buffer.from(`${CLIENT}:${small.server.clientSecret}`).toString('base64')}`
  const [token = ''] = tokens
  const answer = await introspect(small.server.url + path, token, authorization)
  if (!answer.includes('"active":true'))
    throw new Error(`introspection of a token that works was answered ${answer}`)
  const requests = tokens.map((each) => composePost(path, { token: each }, { Authorization: authorization }))
  await measureLookup(session, small, 'introspection', repeatRequests(requests))
}

async function measureLookup(
  session: Session,
  small: Patmint,
  name: string,
  next: () => Buffer,
): Promise<void> {
  const closed = await session.run(small, { name, connections: CONNECTIONS, next, grantsTokens: false })
  session.rows.push({ id: `${name}-64`, name, connections: CONNECTIONS, closed, open: null })
}

async function findIntrospection(url: string): Promise<string> {
  const response = await fetch(`${url}/.well-known/oauth-authorization-server`)
  const metadata = (await response.json()) as { introspection_endpoint: string }
  return new URL(metadata.introspection_endpoint).pathname
}

async function introspect(url: string, token: string, authorization: string): Promise<string> {
  const body = new URLSearchParams({ token })
  const response = await fetch(url, { method: 'POST', body, headers: { Authorization: authorization } })
  return `${response.status} ${await response.text()}`
}
