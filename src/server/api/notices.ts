// `/notices`: who was told that a credential is about to end, and what could not be told. Platform-wide rights see all of
// them, others those of their own organization.

import { z } from 'zod'
import { slug } from '../directory/schema.ts'
import { Problem } from '../http/problem.ts'
import { type ListedNotice, listNotices, reopenNotice } from '../notices/list-store.ts'
import type { Caller } from './caller.ts'
import { operation } from './operation.ts'
import { decodeCursor, pageOf, pageQuery, toPage } from './page.ts'
import { credentialId, instant, uuid } from './schema.ts'

const TAG = 'Notices'

const state = z.enum(['pending', 'delivered', 'failed', 'cancelled'])

const noticeView = z
  .strictObject({
    id: uuid.describe('The `webhook-id` of its request, and the first part of the `Message-ID` of its mail'),
    credential: credentialId.describe('Public id of the credential it tells of'),
    organization: slug,
    days: z.int().describe('The threshold it is for: so many days before the end'),
    ends_on: z.iso.date().describe('The day, in UTC, on which the credential ends'),
    channel: z.enum(['email', 'webhook']),
    receiver: z.string().describe('The name of the webhook; `email` for mails'),
    state: state.describe(
      '`cancelled`: it was not true any more when its turn came. `failed`: it was tried as often as it is to be',
    ),
    reason: z.string().nullable().describe('Why it was cancelled, or what the last try failed for'),
    attempts: z.int().describe('How often it was tried'),
    created_at: instant,
    changed_at: instant.describe('When it took on its state, or was last tried'),
  })
  .meta({ id: 'Notice' })

const query = pageQuery.extend({
  state: state.optional().describe('Only those in this state'),
  credential: credentialId.optional().describe('Only those about this credential'),
})

const list = operation({
  id: 'listNotices',
  method: 'get',
  path: '/notices',
  tag: TAG,
  summary: 'List notices',
  description:
    'Newest first. Without platform-wide rights: those of the own organization. A notice is removed some time after ' +
    'the end it told of.',
  access: 'policy:read',
  query,
  answer: { status: 200, description: 'A page of notices', schema: pageOf(noticeView) },
  handle: async ({ caller, query }, { db }) => {
    const notices = await listNotices(
      db,
      { organizationId: reachOf(caller), state: query.state, credentialId: query.credential },
      query.limit + 1,
      decodeCursor(query.cursor, uuid),
    )
    return toPage(notices, query.limit, (notice) => notice, viewNotice)
  },
})

const retry = operation({
  id: 'retryNotice',
  method: 'post',
  path: '/notices/{id}/retry',
  tag: TAG,
  summary: 'Try a notice again',
  description: 'One that failed waits again, and is tried as often as a new one, as long as it is true.',
  access: 'policy:write',
  params: z.object({ id: uuid }),
  answer: { status: 200, description: 'The notice', schema: noticeView },
  problems: ['notice_not_failed', 'notices_off'],
  handle: async ({ caller, params, now, origin }, { change, enqueueNotices }) =>
    change(origin, async ({ transaction, record }) => {
      const filter = {
        organizationId: reachOf(caller),
        state: undefined,
        credentialId: undefined,
        id: params.id,
      }
      const [notice] = await listNotices(transaction, filter, 1, null)
      if (!notice) throw new Problem('not_found')
      if (!enqueueNotices) throw new Problem('notices_off')
      if (!(await reopenNotice(transaction, notice.id, now))) throw new Problem('notice_not_failed')
      await enqueueNotices(transaction, [notice])
      const { organizationId, credentialId, id } = notice
      record({ type: 'notice.retried', organizationId, credentialId, target: `notice:${id}` })
      return viewNotice({ ...notice, state: 'pending', changedAt: now })
    }),
})

export const noticeOperations = [list, retry]

/** The organization to look in; undefined for all of them. */
const reachOf = ({ isPlatformWide, standing }: Caller): string | undefined =>
  isPlatformWide ? undefined : standing.organization.id

const viewNotice = (notice: ListedNotice): z.output<typeof noticeView> => ({
  id: notice.id,
  credential: notice.credentialId,
  organization: notice.organization,
  days: notice.days,
  ends_on: notice.endsOn,
  channel: notice.channel,
  receiver: notice.receiver,
  state: notice.state,
  reason: notice.reason,
  attempts: notice.attempts,
  created_at: notice.createdAt.toISOString(),
  changed_at: notice.changedAt.toISOString(),
})
