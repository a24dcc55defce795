// The real side of a sequence: an organization, its roles and one user, made anew on the shared server, and whoever
// manages them.

import { API } from '../support/acme.ts'
import { canary } from '../support/evidence.ts'
import type { HeldConnections } from '../support/held-connections.ts'
import type { Answer } from '../support/requests.ts'
import type { TestServer } from '../support/test-server.ts'

export class Workplace {
  readonly #server: Pick<TestServer, 'adminToken' | 'setClock'>
  readonly #connections: HeldConnections
  readonly #startedAt = Date.now()
  readonly audience = API
  readonly slug: string
  readonly email: string
  userId = ''
  /** Values of the credentials, in the order in which they were made. */
  readonly values: string[] = []

  constructor(
    server: Pick<TestServer, 'adminToken' | 'setClock'>,
    connections: HeldConnections,
    sequence: number,
  ) {
    this.#server = server
    this.#connections = connections
    this.slug = `model-${sequence}`
    this.email = `model-${sequence}@model.test`
  }

  /** A call by the platform admin. */
  manage(method: string, path: string, body?: unknown): Promise<Answer> {
    return this.#connections.call(this.#server.adminToken, method, path, body)
  }

  /** A call by the holder of a credential. */
  callAs(index: number, method: string, path: string, body?: unknown): Promise<Answer> {
    return this.#connections.call(this.values[index] ?? '', method, path, body)
  }

  exchange(index: number): Promise<Answer> {
    return this.#connections.exchange(this.values[index] ?? '', API)
  }

  idOf(index: number): string {
    return (this.values[index] ?? '').slice(4, 20)
  }

  get members(): string {
    return `/organizations/${this.slug}/members`
  }

  get roles(): string {
    return `/organizations/${this.slug}/roles`
  }

  /** Makes time stand at this many seconds after the start. */
  setTime(seconds: number): void {
    const instant = this.#startedAt + seconds * 1000
    this.#server.setClock(() => new Date(instant))
  }

  keep(token: unknown): void {
    this.values.push(canary(String(token)))
  }

  async makeUser(): Promise<void> {
    const user = await this.manage('POST', '/users', { email: this.email, name: 'Model' })
    requireStatus(user, 201)
    this.userId = String(user.json['id'])
  }

  async makeRole(name: string, scopes: readonly string[]): Promise<Answer> {
    return this.manage('POST', this.roles, { name, permissions: [{ audience: API, scopes }] })
  }

  /** What the sequence starts from: an analyst. */
  async prepare(): Promise<void> {
    this.setTime(0)
    requireStatus(await this.manage('POST', '/organizations', { slug: this.slug, name: 'Model' }), 201)
    const roles = [
      this.makeRole('analyst', ['models:read', 'datasets:*']),
      this.makeRole('engineer', ['models:*', 'datasets:read']),
      this.makeRole('custom', ['models:write']),
    ]
    for (const role of await Promise.all(roles)) requireStatus(role, 201)
    await this.makeUser()
    const member = await this.manage('POST', this.members, { user_id: this.userId, role: 'analyst' })
    requireStatus(member, 201)
  }

  /** The status of every credential, by id. */
  async listStatuses(): Promise<Map<string, string>> {
    const list = await this.manage('GET', `/organizations/${this.slug}/tokens?limit=200`)
    requireStatus(list, 200)
    const items = list.json['items'] as { id: string; status: string }[]
    return new Map(items.map(({ id, status }) => [id, status]))
  }
}

/** Fails with the answer when it has another status. */
export function requireStatus({ status, text }: Answer, ...expected: number[]): void {
  if (!expected.includes(status)) throw new Error(`${status} instead of ${expected.join(' or ')}: ${text}`)
}
