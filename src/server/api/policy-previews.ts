// `…/policy/preview`: what a policy would stop, before anybody makes it.

import { z } from 'zod'
import type { Reader } from '../ledger/change.ts'
import type { Proposal } from '../policy/hit-store.ts'
import { assessImpact, findHits, packHitIds } from '../policy/impact-store.ts'
import { inheritStart } from '../policy/policy.ts'
import { findPolicies } from '../policy/store.ts'
import { type Operation, operation } from './operation.ts'
import { type PolicyFields, policyBody, toTerms } from './policy-body.ts'
import { onBothLevels, type PolicyPlace, requirePlace } from './policy-place.ts'
import {
  CSV_HEADING,
  type HitView,
  maySeePeople,
  previewView,
  toHitRow,
  viewCounts,
  viewHit,
} from './policy-preview-view.ts'

const query = z.strictObject({
  limit: z.coerce.number().int().min(0).max(200).default(50).describe('Items to show; CSV has all'),
})

const preview = ({ level, noun, owner, path, params }: PolicyPlace): Operation =>
  operation({
    id: `preview${noun}`,
    method: 'post',
    path: `${path}/preview`,
    tag: 'Policies',
    summary: `Preview an expiry policy of ${owner}`,
    description:
      'Of the credentials that work now, those that this policy would end earlier than all that is in force: how many, ' +
      'and which. Changes nothing. With `Accept: text/csv`: all of them, as a table.',
    access: 'policy:read',
    ...params(),
    query,
    body: policyBody,
    answer: { status: 200, description: 'What it would stop', schema: previewView },
    handle: async ({ caller, params, query, body, now }, { db, readTogether }) => {
      const { organizationId } = await requirePlace(db, caller, params)
      const { impact, hits } = await readTogether(async (reader) =>
        assessImpact(reader, await propose(reader, organizationId, body, now), now, query.limit),
      )
      const showsPeople = maySeePeople(caller)
      return { ...viewCounts(impact), items: hits.map((hit) => viewHit(hit, level, showsPeople)) }
    },
    handleCsv: async ({ caller, params, body, now }, { db, readTogether }) => {
      const { organizationId } = await requirePlace(db, caller, params)
      const { proposal, ids } = await readTogether(async (reader) => {
        const proposal = await propose(reader, organizationId, body, now)
        return { proposal, ids: await packHitIds(reader, proposal, now) }
      })
      const showsPeople = maySeePeople(caller)
      return writeRows(ids, async (page) => {
        const hits = await findHits(db, proposal, now, page)
        return hits.map((hit) => viewHit(hit, level, showsPeople))
      })
    },
  })

export const policyPreviewOperations = onBothLevels((place) => [preview(place)])

async function propose(
  reader: Reader,
  organizationId: string | null,
  body: PolicyFields,
  now: Date,
): Promise<Proposal> {
  const before = (await findPolicies(reader, organizationId))[
    organizationId === null ? 'platform' : 'organization'
  ]
  return { organizationId, policy: inheritStart(before, toTerms(body), now) }
}

const ID_BYTES = 8
const PAGE = 1000

/** However many there are, and however slowly they are read: a page in memory at a time, and no transaction open. */
async function* writeRows(
  ids: Buffer,
  describe: (ids: readonly string[]) => Promise<HitView[]>,
): AsyncGenerator<string> {
  yield CSV_HEADING
  for (let start = 0; start < ids.length; start += PAGE * ID_BYTES) {
    const page = ids.toString('hex', start, Math.min(ids.length, start + PAGE * ID_BYTES))
    yield (await describe(page.match(/.{16}/g) ?? [])).map(toHitRow).join('')
  }
}
