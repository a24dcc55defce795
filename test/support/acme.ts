// A server with `config/example.yaml` applied: organization acme, Jane the analyst, Sam the engineer, Ada the admin.

import { randomBytes } from 'node:crypto'
import { generateCredential } from '../../src/protocol/credential.ts'
import type { Telemetry } from '../../src/server/telemetry/telemetry.ts'
import { canary } from './evidence.ts'
import { issuePat } from './requests.ts'
import { startTestServer, type TestServer } from './test-server.ts'

export const API = 'https://api.example.com'
export const REPORTS = 'https://reports.example.com'
export const ORDERS_SECRET = 'orders-service-secret-0123456789'
export const ORDERS_BASIC = `Basic ${Buffer.from(`orders-service:${ORDERS_SECRET}`).toString('base64')}`

export interface Acme extends TestServer {
  readonly janePat: string
  readonly samPat: string
  readonly adaPat: string
  /** A further PAT, with whatever `body` asks for. */
  readonly issue: (email: string, body: Record<string, unknown>) => Promise<string>
}

export async function startAcme(
  variables: Record<string, string> = {},
  telemetry?: Telemetry,
): Promise<Acme> {
  const server = await startTestServer(variables, telemetry)
  await server.apply(['config/example.yaml'], { ORDERS_SECRET: canary(ORDERS_SECRET) })
  const issue = (email: string, body: Record<string, unknown>): Promise<string> =>
    issuePat(server.url, server.adminToken, email, body)
  const [janePat, samPat, adaPat] = await Promise.all([
    issue('jane@acme.test', { name: 'laptop' }),
    issue('sam@acme.test', { name: 'laptop' }),
    issue('ada@acme.test', { name: 'laptop' }),
  ])
  server.takeQueries()
  return { ...server, janePat, samPat, adaPat, issue }
}

/** The same credential with its last character changed: what a typo makes of it. */
export function mistype(credential: string): string {
  return credential.slice(0, -1) + (credential.endsWith('0') ? '1' : '0')
}

/** A well-formed credential with the public id of another one: what somebody makes who has only seen the id. */
export function withAnotherSecret(credential: string): string {
  const [kind, id] = [
    credential.startsWith('key_') ? 'organization' : 'personal',
    credential.slice(4, 20),
  ] as const
  const random = (n: number) => (2 * n === id.length ? Buffer.from(id, 'hex') : randomBytes(n))
  return canary(generateCredential(kind, random).reveal())
}
