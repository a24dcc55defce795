// What a policy would stop, as JSON (contract section 4).

import { z } from 'zod'
import { displayPrefix } from '../../protocol/credential.ts'
import { anyCovers } from '../../protocol/scope.ts'
import { displayName, slug } from '../directory/schema.ts'
import type { HitCredential, Impact } from '../policy/impact-store.ts'
import type { PolicyLevel } from '../policy/policy.ts'
import type { Caller } from './caller.ts'
import { credentialName } from './credential-body.ts'
import { toCsvRow } from './csv.ts'
import { credentialId, instant, uuid } from './schema.ts'

const nullable = 'Null: it takes `users:read` or `organizations:read`'

const hitView = z
  .strictObject({
    id: credentialId.describe('Public id; the token claim `cred`'),
    kind: z.enum(['personal', 'organization']),
    name: credentialName,
    prefix: z.string().describe('The first 10 characters of the value, to recognize it by'),
    organization: slug,
    owner: z
      .strictObject({
        id: uuid,
        name: displayName.nullable().describe(nullable),
        email: z.string().nullable().describe(nullable),
      })
      .nullable()
      .describe('Null for an API key'),
    last_used_at: instant.nullable().describe('Null: never used'),
    stops_at: instant.describe(
      'When it would stop, unless it is used until then where the rule is `idle_timeout`',
    ),
    rule: z.enum(['max_lifetime', 'idle_timeout']),
    level: z.enum(['platform', 'organization']),
  })
  .meta({ id: 'StoppedCredential' })

const count = z.int().min(0)

export const previewView = z
  .strictObject({
    stops_now: count.describe('Work now, and would not any more'),
    stops_within_7_days: count.describe('With those that stop now'),
    stops_within_30_days: count.describe('With both'),
    in_use: count.describe(
      'Used in the last 30 days, and stopped within 24 hours by this policy, but by nothing in force now: what a ' +
        'change has to `confirm`',
    ),
    stops_caller: z
      .boolean()
      .describe(
        'Whether the credential that this is asked with is one that would so stop within 24 hours: it could not ' +
          'change the policy back',
      ),
    items: z
      .array(hitView)
      .describe(
        'Those that stop within 30 days, most used first: by minutes of use, of which recent ones count more',
      ),
  })
  .meta({ id: 'PolicyPreview' })

export type PreviewView = z.input<typeof previewView>
export type HitView = z.output<typeof hitView>

/** Who an owner is, is told to whoever could look it up. */
export const maySeePeople = ({ scopes }: Pick<Caller, 'scopes'>): boolean =>
  anyCovers(scopes, 'users:read') || anyCovers(scopes, 'organizations:read')

export const viewHit = (
  { id, kind, name, organization, owner, lastUsedAt, stopsAt, rule }: HitCredential,
  level: PolicyLevel,
  showsPeople: boolean,
): HitView => ({
  id,
  kind,
  name,
  prefix: displayPrefix(kind, id),
  organization,
  owner: owner && {
    id: owner.id,
    name: showsPeople ? owner.name : null,
    email: showsPeople ? owner.email : null,
  },
  last_used_at: lastUsedAt?.toISOString() ?? null,
  stops_at: stopsAt.toISOString(),
  rule,
  level,
})

export const viewCounts = ({ now, within7Days, within30Days, inUse }: Impact) => ({
  stops_now: now,
  stops_within_7_days: within7Days,
  stops_within_30_days: within30Days,
  in_use: inUse,
})

const COLUMNS = [
  'id',
  'kind',
  'name',
  'prefix',
  'organization',
  'owner_id',
  'owner_name',
  'owner_email',
  'last_used_at',
  'stops_at',
  'rule',
  'level',
]

export const CSV_HEADING = toCsvRow(COLUMNS)

export const toHitRow = ({ owner, ...hit }: HitView): string =>
  toCsvRow([
    hit.id,
    hit.kind,
    hit.name,
    hit.prefix,
    hit.organization,
    owner?.id ?? null,
    owner?.name ?? null,
    owner?.email ?? null,
    hit.last_used_at,
    hit.stops_at,
    hit.rule,
    hit.level,
  ])
