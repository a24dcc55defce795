// What is asked of `audit_events`, as conditions: which records, of which time, and in which parts they are looked for.

import { type Expression, expressionBuilder, type SqlBool, sql } from 'kysely'
import type { Tables } from '../db/tables.ts'
import { FAILURE_EVENT_TYPES, type Outcome } from './event.ts'

/** Absent members ask for nothing. */
export interface AuditFilter {
  readonly organizationId?: string | undefined
  readonly type?: string | undefined
  readonly outcome?: Outcome | undefined
  readonly subject?: string | undefined
  readonly actor?: string | undefined
  readonly credentialId?: string | undefined
  readonly clientId?: string | undefined
  readonly target?: string | undefined
  /** UUIDv7. */
  readonly requestId?: string | undefined
  readonly since?: Date | undefined
  /** Exclusive. */
  readonly until?: Date | undefined
}

/** Where a page starts: below this record of the order (occurred_at, id). */
export interface AuditPosition {
  readonly createdAt: Date
  readonly id: string
}

export type Conditions = readonly Expression<SqlBool>[]

/** The conditions on each part of what is asked for; no record is in two. */
export function listParts(
  filter: AuditFilter,
  position: AuditPosition | null,
): readonly [Conditions, ...Conditions[]] {
  const common = [...listValues(filter), ...listSpans(filter, position)]
  const [first, ...others] = listOutcomes(filter)
  return [[...common, ...first], ...others.map((outcome) => [...common, ...outcome])]
}

/**
 * What succeeded, and every type of failure: each lies in one index, in order. So nobody reads past a million grants to
 * find a failure, nor past a million failures to find a grant.
 */
function listOutcomes(filter: AuditFilter): readonly [Conditions, ...Conditions[]] {
  const where = expressionBuilder<Tables, 'audit_events'>()
  const success = [where('type', 'not in', FAILURE_EVENT_TYPES)]
  if (filter.outcome === 'success') return [success]
  const [first, ...others] = FAILURE_EVENT_TYPES
  const failures = [[where('type', '=', first)], ...others.map((type) => [where('type', '=', type)])] as const
  if (filter.outcome === 'failure') return failures
  return isSplit(filter) ? [success, ...failures] : [[]]
}

/** Whether no index holds all that is asked for, whatever came of it. */
function isSplit({ type, actor, target, requestId, ...filter }: AuditFilter): boolean {
  const isNarrow = [type, actor, target, requestId].some((value) => value !== undefined)
  const { organizationId, credentialId, subject, clientId } = filter
  return !isNarrow && [organizationId, credentialId, subject, clientId].some((value) => value !== undefined)
}

function listValues(filter: AuditFilter): Conditions {
  const where = expressionBuilder<Tables, 'audit_events'>()
  const wanted = {
    organization_id: filter.organizationId,
    type: filter.type,
    subject: filter.subject,
    actor: filter.actor,
    credential_id: filter.credentialId,
    client_id: filter.clientId,
    target: filter.target,
    request_id: filter.requestId,
  }
  const columns = Object.keys(wanted) as (keyof typeof wanted)[]
  return columns.flatMap((column) => {
    const value = wanted[column]
    return value === undefined ? [] : [where(column, '=', value)]
  })
}

/** What bounds the time, so that other partitions are not looked at. */
function listSpans({ since, until, requestId }: AuditFilter, position: AuditPosition | null): Conditions {
  const where = expressionBuilder<Tables, 'audit_events'>()
  const spans: Expression<SqlBool>[] = []
  if (since) spans.push(where('occurred_at', '>=', since))
  if (until) spans.push(where('occurred_at', '<', until))
  if (requestId !== undefined) {
    const [from, to] = spanOfRequest(requestId)
    spans.push(where('occurred_at', '>=', from), where('occurred_at', '<=', to))
  }
  if (position) {
    const { createdAt, id } = position
    spans.push(where('occurred_at', '<=', createdAt))
    spans.push(sql<SqlBool>`(occurred_at, id) < (${createdAt}, ${id}::uuid)`)
  }
  return spans
}

const CLOCK_STEP_MS = 5_000
const LONGEST_REQUEST_MS = 300_000

/** When the records of a request were made: the id of a request says when it came (RFC 9562 section 5.7). */
function spanOfRequest(requestId: string): [from: Date, to: Date] {
  const cameAt = Number.parseInt(requestId.replaceAll('-', '').slice(0, 12), 16)
  return [new Date(cameAt - CLOCK_STEP_MS), new Date(cameAt + LONGEST_REQUEST_MS)]
}
