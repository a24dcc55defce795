// A management API with one policy, as far as the CLI calls it: it answers what it is told to, and remembers the calls.

export const POLICY = {
  max_lifetime_seconds: null,
  default_lifetime_seconds: null,
  idle_timeout_seconds: 5_184_000,
  access_token_max_ttl_seconds: 90,
  max_active_tokens: 10,
  applies_to: 'all',
  exempt_roles: ['break-glass', 'machine'],
}

const limit = (value: number | null, level: string | null) => ({ value, level })
export const EFFECTIVE = {
  max_lifetime_seconds: limit(31_536_000, 'platform'),
  default_lifetime_seconds: limit(null, null),
  idle_timeout_seconds: limit(5_184_000, 'organization'),
  access_token_max_ttl_seconds: limit(90, 'organization'),
  max_active_tokens: limit(10, null),
}

export const HIT = {
  id: '4f3a210000000000',
  kind: 'personal',
  name: 'ci-deploy',
  prefix: 'pat_4f3a21',
  organization: 'acme',
  owner: { id: '0198c1f0-0000-7000-8000-000000000001', name: 'Jane', email: 'jane@acme.test' },
  last_used_at: '2026-03-01T09:30:00.000Z',
  stops_at: '2026-02-01T12:00:00.000Z',
  rule: 'max_lifetime',
  level: 'platform',
}
export const KEY_HIT = {
  ...HIT,
  kind: 'organization',
  name: 'nightly',
  prefix: 'key_0d1a21',
  owner: null,
  last_used_at: null,
  stops_at: '2026-03-07T00:00:00.000Z',
  rule: 'idle_timeout',
}

export const buildPreview = (stopsNow: number, inUse: number, within7: number, within30: number) => ({
  stops_now: stopsNow,
  stops_within_7_days: within7,
  stops_within_30_days: within30,
  in_use: inUse,
  stops_caller: false,
  items: [HIT, KEY_HIT].slice(0, within30),
})
export const NOTHING_STOPS = buildPreview(0, 0, 0, 0)

interface Call {
  readonly method: string
  readonly url: string
  readonly ifMatch: string | null
  readonly body: unknown
}

interface Answers {
  /** Of the policy; the last one when it was changed is what the change made. */
  readonly policy?: object
  readonly preview?: object
  /** In place of the change. */
  readonly refusal?: { readonly status: number; readonly code: string; readonly [member: string]: unknown }
}

/** A `fetch` that is this API. */
export function servePolicy({ policy = POLICY, preview = NOTHING_STOPS, refusal }: Answers = {}) {
  const calls: Call[] = []
  const tokens = new Set<string | null>()
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const [headers, method] = [new Headers(init.headers), String(init.method)]
    const body: unknown = init.body === undefined ? undefined : JSON.parse(String(init.body))
    calls.push({ method, url, ifMatch: headers.get('if-match'), body })
    tokens.add(headers.get('authorization'))
    if (url.includes('/preview?limit=')) return Response.json(preview)
    if (method === 'GET') return answer(policy, '"first"')
    if (refusal) return Response.json({ title: 'No', ...refusal }, { status: refusal.status })
    const { confirm: _, ...changed } = body as Record<string, unknown>
    return answer({ ...policy, ...changed, version: 2 }, '"second"')
  }
  return { fetch, calls, tokens }
}

const answer = (body: object, etag: string): Response => Response.json(body, { headers: { etag } })
