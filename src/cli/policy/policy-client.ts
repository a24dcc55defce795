// The policy of one level over the management API: read, previewed, and replaced as it was read.

import { fail, ok, type Result } from '../../protocol/result.ts'
import type { ApiAnswer, ApiFailure, CallApi } from '../api-client.ts'
import type { JsonObject } from '../send-request.ts'
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
  /** `confirm`: how many credentials in use may stop. */
  readonly replace: (before: PolicyRead, policy: Policy, confirm: number) => Answered<PolicyRead>
  /** The same with what version `number` said. */
  readonly restore: (before: PolicyRead, number: number, confirm: number) => Answered<PolicyRead>
  /** The last `limit` versions, newest first. */
  readonly history: (limit: number) => Answered<History>
}

export interface History {
  readonly items: readonly JsonObject[]
  /** The whole answer. */
  readonly body: JsonObject
}

/** Of the platform, or of the organization with this slug. */
export function createPolicyClient(call: CallApi, organization: string | undefined): PolicyClient {
  const path: `/${string}` =
    organization === undefined ? '/policy' : `/organizations/${encodeURIComponent(organization)}/policy`
  return {
    title: organization === undefined ? 'the platform' : organization,
    read: async () => toPolicyRead(await call({ method: 'GET', path })),
    preview: async (policy) => {
      const preview = `${path}/preview?limit=${MOST_ITEMS}` as const
      const answer = await call({ method: 'POST', path: preview, body: policy })
      if (!answer.ok) return answer
      const impact = readImpact(answer.value.body)
      return impact ? ok(impact) : unexpected('a preview')
    },
    replace: async ({ version }, policy, confirm) => {
      const body = { ...policy, ...toConfirmation(confirm) }
      return toPolicyRead(await call({ method: 'PUT', path, body, ifMatch: version }))
    },
    restore: async ({ version }, number, confirm) => {
      const restore = `${path}/versions/${number}/restore` as const
      const body = toConfirmation(confirm)
      return toPolicyRead(await call({ method: 'POST', path: restore, body, ifMatch: version }))
    },
    history: async (limit) => {
      const answer = await call({ method: 'GET', path: `${path}/versions?limit=${limit}` })
      if (!answer.ok) return answer
      const { body } = answer.value
      const { items } = body
      return Array.isArray(items) ? ok({ items, body }) : unexpected('a history')
    },
  }
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
