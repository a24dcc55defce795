// `/audit-events`: what happened, for whoever has to find out. Platform-wide rights see all of it, others what happened
// in their own organization; an attempt with a credential nobody knows happened in none.

import { z } from 'zod'
import { clientId, slug } from '../directory/schema.ts'
import { Problem } from '../http/problem.ts'
import type { Reader } from '../ledger/change.ts'
import { AUDIT_EVENT_TYPES } from '../ledger/event.ts'
import { type AuditRecord, findRecordedOrganization, listAuditEvents } from '../ledger/read-store.ts'
import type { Caller } from './caller.ts'
import { operation } from './operation.ts'
import { decodeCursor, pageOf, pageQuery, toPage } from './page.ts'
import { credentialId, instant, uuid } from './schema.ts'

const text = z
  .string()
  .min(1)
  .max(500)
  .regex(/^\P{Cc}*$/u, { error: 'must not hold control characters' })
const moment = z.iso.datetime({ offset: true })
const nullableText = z.string().nullable()

const auditEventView = z
  .strictObject({
    id: uuid,
    occurred_at: instant,
    type: z.string().describe('`noun.verb`, for example `exchange.granted`'),
    outcome: z.enum(['success', 'failure']),
    reason: nullableText.describe('The true cause of a refusal, as a stable word'),
    organization: slug.nullable().describe('Null: of the platform, or nobody knows whose'),
    subject: nullableText.describe('Whose rights: the id of a user, or `key:<id>`'),
    actor: nullableText.describe('Who did it, where that is told apart from the subject'),
    credential: nullableText.describe('Public id'),
    client: nullableText.describe('The `client_id` of an exchange'),
    target: nullableText.describe('What was changed, as `noun:name`, where that is not a credential'),
    audiences: z.array(z.string()).nullable(),
    scopes: z.array(z.string()).nullable(),
    token_id: nullableText.describe('The claim `jti` of the token that was issued or revoked'),
    ip: nullableText,
    user_agent: nullableText,
    request_id: nullableText.describe('`X-Request-Id` of the answer'),
    detail: z.record(z.string(), z.unknown()).nullable(),
  })
  .meta({ id: 'AuditEvent' })

const query = pageQuery.extend({
  type: z.enum(AUDIT_EVENT_TYPES).optional().describe('What happened'),
  outcome: z
    .enum(['success', 'failure'])
    .optional()
    .describe('`failure`: refusals, and the reuse of a credential that was replaced'),
  organization: slug.optional().describe('Where it happened'),
  subject: text.optional().describe('Whose rights: the id of a user, or `key:<id>`'),
  actor: text.optional().describe('Who did it, where that is told apart from the subject'),
  credential: credentialId.optional().describe('Public id'),
  client: clientId.optional().describe('The `client_id` of an exchange'),
  target: text.optional().describe('For example `role:analyst`'),
  request_id: uuid.optional().describe('`X-Request-Id` of the answer'),
  since: moment.optional().describe('From this instant on'),
  until: moment.optional().describe('Before this instant'),
})

const toInstant = (moment: string | undefined): Date | undefined =>
  moment === undefined ? undefined : new Date(moment)

const list = operation({
  id: 'listAuditEvents',
  method: 'get',
  path: '/audit-events',
  tag: 'Audit',
  summary: 'Read the audit trail',
  description:
    'Newest first. Without platform-wide rights: what happened in the own organization. Members that do not apply ' +
    'are null; there is never a secret, or part of one, in a record.',
  access: 'audit:read',
  query,
  answer: { status: 200, description: 'A page of audit events', schema: pageOf(auditEventView) },
  problems: ['not_found'],
  handle: async ({ caller, query }, { db }) => {
    const events = await listAuditEvents(
      db,
      {
        organizationId: await resolveOrganization(db, caller, query.organization),
        type: query.type,
        outcome: query.outcome,
        subject: query.subject,
        actor: query.actor,
        credentialId: query.credential,
        clientId: query.client,
        target: query.target,
        requestId: query.request_id,
        since: toInstant(query.since),
        until: toInstant(query.until),
      },
      query.limit + 1,
      decodeCursor(query.cursor, uuid),
    )
    return toPage(events, query.limit, ({ id, occurredAt }) => ({ id, createdAt: occurredAt }), viewEvent)
  },
})

export const auditEventOperations = [list]

/** The organization to look in; undefined for all of them, and those of none. What is beyond the reach is 404. */
async function resolveOrganization(
  db: Reader,
  { isPlatformWide, standing }: Caller,
  wanted: string | undefined,
): Promise<string | undefined> {
  const own = standing.organization
  if (!isPlatformWide && (wanted === undefined || wanted === own.slug)) return own.id
  if (wanted === undefined) return undefined
  const id = isPlatformWide ? await findRecordedOrganization(db, wanted) : undefined
  if (id === undefined) throw new Problem('not_found')
  return id
}

const viewEvent = (event: AuditRecord): z.output<typeof auditEventView> => ({
  id: event.id,
  occurred_at: event.occurredAt.toISOString(),
  type: event.type,
  outcome: event.outcome,
  reason: event.reason,
  organization: event.organization,
  subject: event.subject,
  actor: event.actor,
  credential: event.credentialId,
  client: event.clientId,
  target: event.target,
  audiences: event.audiences && [...event.audiences],
  scopes: event.scopes && [...event.scopes],
  token_id: event.tokenId,
  ip: event.ip,
  user_agent: event.userAgent,
  request_id: event.requestId,
  detail: event.detail,
})
