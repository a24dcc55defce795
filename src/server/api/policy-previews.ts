// `…/policy/preview`: what a policy would stop, before anybody makes it.

import { z } from 'zod'
import { assessImpact } from '../policy/impact-store.ts'
import { inheritStart } from '../policy/policy.ts'
import { findPolicies } from '../policy/store.ts'
import { type Operation, operation } from './operation.ts'
import { policyBody, toTerms } from './policy-body.ts'
import { onBothLevels, type PolicyPlace, requirePlace } from './policy-place.ts'
import { maySeePeople, previewView, viewCounts, viewHit } from './policy-preview-view.ts'

const query = z.strictObject({
  limit: z.coerce.number().int().min(0).max(200).default(50).describe('Items to show'),
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
      'and which. Changes nothing.',
    access: 'policy:read',
    ...params(),
    query,
    body: policyBody,
    answer: { status: 200, description: 'What it would stop', schema: previewView },
    handle: async ({ caller, params, query, body, now }, { db, readTogether }) => {
      const { organizationId } = await requirePlace(db, caller, params)
      const { impact, hits } = await readTogether(async (reader) => {
        const before = (await findPolicies(reader, organizationId))[level]
        const policy = inheritStart(before, toTerms(body), now)
        return assessImpact(reader, { organizationId, policy }, now, query.limit)
      })
      const showsPeople = maySeePeople(caller)
      return { ...viewCounts(impact), items: hits.map((hit) => viewHit(hit, level, showsPeople)) }
    },
  })

export const policyPreviewOperations = onBothLevels((place) => [preview(place)])
