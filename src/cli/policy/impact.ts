// What a policy would stop, as a preview tells it.

import { asText, type JsonObject } from '../send-request.ts'

export interface Impact {
  /** Cumulative. */
  readonly stopsNow: number
  readonly stopsWithin7Days: number
  readonly stopsWithin30Days: number
  /** Used in the last 30 days, and newly stopped now or within a day. */
  readonly inUse: number
  /** Whether the credential that asked is stopped so soon. */
  readonly stopsCaller: boolean
  /** Most used first; not all of them when there are many. */
  readonly items: readonly ImpactItem[]
  /** The whole answer. */
  readonly body: JsonObject
}

export interface ImpactItem {
  readonly name: string
  readonly prefix: string
  readonly organization: string
  /** Whoever it belongs to, as well as the caller may know them. */
  readonly owner: string
  readonly lastUsedAt: Date | null
  readonly stopsAt: Date
  readonly rule: string
  readonly level: string
}

/** The server gives no more items. */
export const MOST_ITEMS = 200

/** `undefined` when the answer is no preview. */
export function readImpact(body: JsonObject): Impact | undefined {
  const { stops_now, stops_within_7_days, stops_within_30_days, in_use, items } = body
  const counts = [stops_now, stops_within_7_days, stops_within_30_days, in_use]
  if (!counts.every((count) => Number.isSafeInteger(count)) || !Array.isArray(items)) return undefined
  return {
    stopsNow: Number(stops_now),
    stopsWithin7Days: Number(stops_within_7_days),
    stopsWithin30Days: Number(stops_within_30_days),
    inUse: Number(in_use),
    stopsCaller: body['stops_caller'] === true,
    items: items.map(readItem),
    body,
  }
}

function readItem(item: JsonObject): ImpactItem {
  const text = (name: string): string => asText(item[name]) ?? ''
  const lastUsedAt = asText(item['last_used_at'])
  return {
    name: text('name'),
    prefix: text('prefix'),
    organization: text('organization'),
    owner: readOwner(item),
    lastUsedAt: lastUsedAt === undefined ? null : new Date(lastUsedAt),
    stopsAt: new Date(text('stops_at')),
    rule: text('rule'),
    level: text('level'),
  }
}

function readOwner({ owner }: JsonObject): string {
  if (typeof owner !== 'object' || owner === null) return 'API key'
  const { email, name, id } = owner as JsonObject
  return asText(email) ?? asText(name) ?? asText(id) ?? ''
}
