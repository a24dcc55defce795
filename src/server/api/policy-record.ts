// The audit record of a changed policy: what it was, what it is, and what that stopped.

import type { ChangeEvent } from '../ledger/change.ts'
import type { PolicyReplaced } from '../policy/version-store.ts'
import { viewContent } from './policy-view.ts'

export const describeReplacement = ({ organizationId, before, version }: PolicyReplaced): ChangeEvent => ({
  type: 'policy.changed',
  ...(organizationId === null ? {} : { organizationId }),
  target: `policy:${organizationId === null ? 'platform' : 'organization'}`,
  detail: {
    version: version.number,
    before: viewContent(before),
    after: viewContent(version.policy),
    stopped: version.stopped,
    stopped_in_use: version.stoppedInUse,
  },
})
