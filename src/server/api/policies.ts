// `/policy` and `/organizations/{slug}/policy`: how long credentials and tokens may live.

import { inheritStart } from '../policy/policy.ts'
import { findPolicies } from '../policy/store.ts'
import { type Operation, operation } from './operation.ts'
import { policyChangeBodyOf, toTerms } from './policy-body.ts'
import { changePolicy, type PolicyChange, showPolicy } from './policy-change.ts'
import { onBothLevels, type PolicyPlace, requirePlace } from './policy-place.ts'
import { policyView, versionOfPolicy } from './policy-view.ts'

const tag = 'Policies'

const thePolicy = { description: 'The policy', schema: policyView, version: versionOfPolicy } as const

const show = ({ noun, owner, path, params }: PolicyPlace): Operation =>
  operation({
    id: `get${noun}`,
    method: 'get',
    path,
    tag,
    summary: `Read the expiry policy of ${owner}`,
    description: 'Where nobody made one, it has no rules. `effective` tells what both levels together say.',
    access: 'policy:read',
    ...params(),
    answer: { status: 200, ...thePolicy },
    handle: async ({ caller, params }, { db }) => {
      const whose = await requirePlace(db, caller, params)
      return showPolicy(db, whose, await findPolicies(db, whose.organizationId))
    },
  })

const replace = ({ level, noun, owner, path, params }: PolicyPlace): Operation =>
  operation({
    id: `replace${noun}`,
    method: 'put',
    path,
    tag,
    summary: `Change the expiry policy of ${owner}`,
    description:
      'All of it: a field that is absent is an error, null is "no rule". Binds at the next exchange of every ' +
      'credential, also of those there are. What would stop credentials used in the last 30 days, now or within 24 ' +
      'hours, needs `confirm` with their number; what that is, a preview tells, and so does the refusal.',
    access: 'policy:write',
    ...params(),
    body: policyChangeBodyOf(level),
    answer: { status: 200, ...thePolicy },
    problems: ['confirmation_required'],
    handle: ({ caller, params, body, ifMatch, origin, now }, dependencies) => {
      const { confirm, ...fields } = body
      const choose: PolicyChange['choose'] = async (_reader, _whose, before) =>
        inheritStart(before, toTerms(fields), now)
      return changePolicy({ caller, params, ifMatch, confirm, origin, restored: null, choose }, dependencies)
    },
  })

export const policyOperations = onBothLevels((place) => [show(place), replace(place)])
