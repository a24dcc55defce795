// `…/policy/versions`: what an expiry policy said before, and how to have it again.

import { z } from 'zod'
import { listVersions, type PolicyVersion } from '../policy/version-store.ts'
import { type Operation, operation } from './operation.ts'
import { decodeCursor, pageOf, pageQuery, toPage } from './page.ts'
import { restorationBody } from './policy-body.ts'
import { changePolicy } from './policy-change.ts'
import { onBothLevels, type PolicyPlace, requirePlace } from './policy-place.ts'
import { chooseVersion, versionNumber } from './policy-version.ts'
import { policyContentView, policyView, versionOfPolicy, viewContent } from './policy-view.ts'
import { instant } from './schema.ts'

const tag = 'Policies'

const versionView = z
  .strictObject({
    number: z.int().min(1).describe('From 1; the highest is in force'),
    policy: policyContentView,
    made_at: instant,
    made_by: z.string().nullable().describe('Subject; null: a declarative file, or older than this history'),
    stopped: z.int().nullable().describe('How many credentials that worked it ended there and then'),
    stopped_in_use: z
      .int()
      .nullable()
      .describe('How many, used in the 30 days before, it newly ended then or within 24 hours'),
  })
  .meta({ id: 'PolicyVersion' })

const viewVersion = (version: PolicyVersion): z.output<typeof versionView> => ({
  number: version.number,
  policy: viewContent(version.policy),
  made_at: version.madeAt.toISOString(),
  made_by: version.madeBy,
  stopped: version.stopped,
  stopped_in_use: version.stoppedInUse,
})

const list = ({ noun, owner, path, params }: PolicyPlace): Operation =>
  operation({
    id: `list${noun}Versions`,
    method: 'get',
    path: `${path}/versions`,
    tag,
    summary: `Read the history of the expiry policy of ${owner}`,
    description: 'Newest first. Nothing is ever taken out of it.',
    access: 'policy:read',
    ...params(),
    query: pageQuery,
    answer: { status: 200, description: 'A page of versions', schema: pageOf(versionView) },
    handle: async ({ caller, params, query }, { db }) => {
      const { organizationId } = await requirePlace(db, caller, params)
      const after = decodeCursor(query.cursor, versionNumber)
      const versions = await listVersions(db, organizationId, query.limit + 1, after && Number(after.id))
      const keyOf = ({ number, madeAt }: PolicyVersion) => ({ id: String(number), createdAt: madeAt })
      return toPage(versions, query.limit, keyOf, viewVersion)
    },
  })

const restore = ({ noun, owner, path, params }: PolicyPlace): Operation =>
  operation({
    id: `restore${noun}`,
    method: 'post',
    path: `${path}/versions/{number}/restore`,
    tag,
    summary: `Restore a version of the expiry policy of ${owner}`,
    description:
      'Makes a new version that says what this one said, `applies_since` included. Needs `confirm` like any change ' +
      'that stops what is in use.',
    access: 'policy:write',
    ...params({ number: versionNumber }),
    body: restorationBody,
    answer: { status: 200, description: 'The policy', schema: policyView, version: versionOfPolicy },
    problems: ['confirmation_required', 'precondition_failed', 'not_found'],
    handle: ({ caller, params, body, ifMatch, origin }, dependencies) => {
      const { confirm } = body
      const choose = chooseVersion(params)
      const restored = Number(params['number'])
      return changePolicy({ caller, params, ifMatch, confirm, origin, restored, choose }, dependencies)
    },
  })

export const policyVersionOperations = onBothLevels((place) => [list(place), restore(place)])
