// The audit record of a changed policy: what it was, what it is, and what that stopped.

import type { ChangeEvent } from '../ledger/change.ts'
import type { PolicyReplaced } from '../policy/version-store.ts'
import { viewContent, viewLevel } from './policy-view.ts'

/** How it was changed over the API. */
interface Maker {
  readonly credentialId: string
  /** The version that was restored; null when it was written anew. */
  readonly restored: number | null
}

export function describeReplacement(
  { organizationId, before, version }: PolicyReplaced,
  maker?: Maker,
): ChangeEvent {
  const level = organizationId === null ? 'platform' : 'organization'
  return {
    type: 'policy.changed',
    ...(organizationId === null ? {} : { organizationId }),
    ...(maker ? { credentialId: maker.credentialId } : {}),
    target: `policy:${level}`,
    detail: {
      version: version.number,
      ...(maker && maker.restored !== null ? { restored: maker.restored } : {}),
      before: viewLevel(before, level),
      after: viewContent(version.policy),
      stopped: version.stopped,
      stopped_in_use: version.stoppedInUse,
    },
  }
}
