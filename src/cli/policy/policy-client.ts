// The policy of one level over the management API: read, previewed, and replaced as it was read.

import { fail, ok, type Result } from '../../protocol/result.ts'
import type { ApiAnswer, ApiFailure, CallApi } from '../api-client.ts'
import { asText, type JsonObject } from '../send-request.ts'
import { type Impact, MOST_ITEMS, readImpact } from './impact.ts'
import { type Policy, readPolicy } from './policy.ts'

/** A policy as it was read. */
export interface PolicyRead {
  readonly policy: Policy
  /** What a change of it names, so that nobody else's is overwritten. */
  readonly version: string
  /** The whole answer. */
  readonly body: JsonObject
}

export type Answered<T> = Promise<Result<T, ApiFailure>>

export interface PolicyClient {
  /** For people: whose policy it is. */
  readonly title: string
  readonly read: () => Answered<PolicyRead>
  /** What would stop, were this the policy. */
  readonly preview: (policy: Policy) => Answered<Impact>
  /** What would stop, were version `number` restored. */
  readonly previewVersion: (number: number) => Answered<Impact>
  /** `confirm`: how many credentials in use may stop. */
  readonly replace: (before: PolicyRead, policy: Policy, confirm: number) => Answered<PolicyRead>
  /** The same with what version `number` said. */
  readonly restore: (before: PolicyRead, number: number, confirm: number) => Answered<PolicyRead>
  /** At most `limit` of the last versions, newest first. */
  readonly history: (limit: number) => Answered<History>
}

export interface History {
  readonly items: readonly JsonObject[]
  /** Null when there are no more. */
  readonly next_cursor: string | null
}

/** The server gives no more at once. */
const LARGEST_PAGE = 200

/** Of the platform, or of the organization with this slug. */
export function createPolicyClient(call: CallApi, organization: string | undefined): PolicyClient {
  const path: `/${string}` =
    organization === undefined ? '/policy' : `/organizations/${encodeURIComponent(organization)}/policy`
  const preview = async (place: string, body?: Policy): Answered<Impact> => {
    const at = `${path}${place}?limit=${MOST_ITEMS}` as const
    const answer = await call({ method: 'POST', path: at, body })
    if (!answer.ok) return answer
    const impact = readImpact(answer.value.body)
    return impact ? ok(impact) : unexpected('a preview')
  }
  return {
    title: organization === undefined ? 'the platform' : organization,
    read: async () => toPolicyRead(await call({ method: 'GET', path })),
    preview: (policy) => preview('/preview', policy),
    previewVersion: (number) => preview(`/versions/${number}/preview`),
    replace: async ({ version }, policy, confirm) => {
      const body = { ...policy, ...toConfirmation(confirm) }
      return toPolicyRead(await call({ method: 'PUT', path, body, ifMatch: version }))
    },
    restore: async ({ version }, number, confirm) => {
      const restore = `${path}/versions/${number}/restore` as const
      const body = toConfirmation(confirm)
      return toPolicyRead(await call({ method: 'POST', path: restore, body, ifMatch: version }))
    },
    history: (limit) => readHistory(call, `${path}/versions`, limit),
  }
}

/** Page by page. */
async function readHistory(call: CallApi, path: `/${string}`, limit: number): Answered<History> {
  const items: JsonObject[] = []
  let cursor: string | null = null
  do {
    const query = new URLSearchParams({ limit: String(Math.min(limit - items.length, LARGEST_PAGE)) })
    if (cursor !== null) query.set('cursor', cursor)
    const answer = await call({ method: 'GET', path: `${path}?${query}` })
    if (!answer.ok) return answer
    const { items: page, next_cursor } = answer.value.body
    if (!Array.isArray(page)) return unexpected('a history')
    items.push(...page)
    cursor = page.length > 0 ? (asText(next_cursor) ?? null) : null
  } while (cursor !== null && items.length < limit)
  return ok({ items, next_cursor: cursor })
}

const toConfirmation = (confirm: number) => (confirm > 0 ? { confirm } : {})

function toPolicyRead(answer: Result<ApiAnswer, ApiFailure>): Result<PolicyRead, ApiFailure> {
  if (!answer.ok) return answer
  const { body, version } = answer.value
  const policy = readPolicy(body)
  return policy && version !== null ? ok({ policy, version, body }) : unexpected('a policy and its version')
}

const unexpected = (what: string): Result<never, ApiFailure> =>
  fail({ reason: 'unexpected', detail: `it answered without ${what}` })
