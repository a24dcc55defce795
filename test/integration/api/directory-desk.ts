// What the tests of organizations, members and roles ask of one server again and again.

import { decodeJwt } from 'jose'
import { expect } from 'vitest'
import { type Acme, API } from '../../support/acme.ts'
import { canary } from '../../support/evidence.ts'
import { type Answer, callApi, issuePat, requestExchange } from '../../support/requests.ts'

export const NOBODY = '00000000-0000-7000-8000-000000000000'
export const REFUSED = { error: 'invalid_request', error_description: 'subject_token is not valid' }

type Body = Readonly<Record<string, unknown>>

export class DirectoryDesk {
  readonly #acme: Acme

  constructor(acme: Acme) {
    this.#acme = acme
  }

  call(token: string, method: string, path: string, body?: unknown, ifMatch?: string): Promise<Answer> {
    const headers = ifMatch === undefined ? {} : { 'If-Match': ifMatch }
    return callApi(this.#acme.url, token, method, path, body, headers)
  }

  /** The same by the platform admin, who must succeed. */
  async admin(method: string, path: string, body?: unknown): Promise<Answer> {
    const answer = await this.call(this.#acme.adminToken, method, path, body)
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.text}`)
    return answer
  }

  async findUserId(email: string): Promise<string> {
    const { id } = await this.#acme.db
      .selectFrom('users')
      .select('id')
      .where('email', '=', email)
      .where('status', '<>', 'deleted')
      .executeTakeFirstOrThrow()
    return id
  }

  /** A user nobody else uses, who is a member of nothing. */
  async addUser(email: string): Promise<string> {
    const id = crypto.randomUUID()
    await this.#acme.db
      .insertInto('users')
      .values({ id, email, name: 'Somebody', status: 'active', password_hash: null, created_at: new Date() })
      .execute()
    return id
  }

  /** A new user with a role in an organization, and a PAT of theirs for it. */
  async addMember(organization: string, email: string, role: string): Promise<{ id: string; pat: string }> {
    const id = await this.addUser(email)
    await this.admin('POST', `/organizations/${organization}/members`, { user_id: id, role })
    return { id, pat: await this.issue(email, organization) }
  }

  /** A PAT that the platform admin issues. */
  issue(email: string, organization: string, more: Body = {}): Promise<string> {
    const { url, adminToken } = this.#acme
    const name = `of ${organization} ${crypto.randomUUID()}`
    return issuePat(url, adminToken, email, { name, organization, ...more })
  }

  /** An API key that the platform admin makes. */
  async issueKey(organization: string, role: string): Promise<string> {
    const body = { name: `key ${crypto.randomUUID()}`, role }
    const { json } = await this.admin('POST', `/organizations/${organization}/keys`, body)
    return canary(String(json['token']))
  }

  exchange(pat: string, audience: string = API): Promise<Answer> {
    return requestExchange(this.#acme.url, { subject_token: pat, audience })
  }

  /** Scope of what a credential is exchanged for; null when it is refused as if there were no such credential. */
  async scopeOf(pat: string): Promise<unknown> {
    const { status, json } = await this.exchange(pat)
    if (status === 200) return json['scope']
    expect([status, json]).toEqual([400, REFUSED])
    return null
  }

  /** The claim `org` of what a credential is exchanged for. */
  async organizationOf(pat: string): Promise<unknown> {
    return decodeJwt(String((await this.exchange(pat)).json['access_token']))['org']
  }

  /** The true cause of the last refusal. */
  async lastReason(): Promise<string | null> {
    const { reason } = await this.#acme.db
      .selectFrom('audit_events')
      .select('reason')
      .where('type', '=', 'exchange.refused')
      .orderBy('occurred_at', 'desc')
      .orderBy('id', 'desc')
      .executeTakeFirstOrThrow()
    return reason
  }

  /** What the audit trail says of `target`, oldest first. */
  async eventsOf(target: string) {
    const rows = await this.#acme.db
      .selectFrom('audit_events as e')
      .leftJoin('organizations as o', 'o.id', 'e.organization_id')
      .select(['e.type', 'e.actor', 'e.subject', 'o.slug as organization', 'e.detail'])
      .where('e.target', '=', target)
      .orderBy('e.occurred_at')
      .orderBy('e.id')
      .execute()
    return rows
  }

  /** Every item of a list, `limit` at a time. */
  async listAll(token: string, path: string, limit: number): Promise<Record<string, unknown>[]> {
    const items: Record<string, unknown>[] = []
    let cursor: unknown = null
    do {
      const query = `?limit=${limit}${cursor === null ? '' : `&cursor=${cursor}`}`
      const { status, json } = await this.call(token, 'GET', path + query)
      expect(status).toBe(200)
      const page = json['items'] as Record<string, unknown>[]
      expect(page.length).toBeLessThanOrEqual(limit)
      items.push(...page)
      cursor = json['next_cursor']
    } while (cursor !== null)
    return items
  }
}

/** Status and code of a refusal. */
export const refusalOf = ({ status, json }: Answer): [number, unknown] => [status, json['code']]

export const NOT_FOUND = [404, 'not_found']
export const FORBIDDEN = [403, 'forbidden']
export const INVALID = [400, 'invalid_request']

/** A whole problem document. */
export const problem = (status: number, code: string, detail: string, more: Body = {}) => ({
  type: 'about:blank',
  title: expect.any(String),
  status,
  code,
  detail,
  ...more,
})

export const INSTANT = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
export const TAG = /^"[\w-]{22}"$/
