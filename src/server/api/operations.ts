// Every operation of the management API, in the order in which the documentation shows them.

import { auditEventOperations } from './audit-events.ts'
import { bulkRevocationOperations } from './bulk-revocations.ts'
import { clientOperations } from './clients.ts'
import { explainOperations } from './explain.ts'
import { keyOperations } from './keys.ts'
import { leakOperations } from './leaks.ts'
import { meOperations } from './me.ts'
import { memberOperations } from './members.ts'
import { noticeOperations } from './notices.ts'
import type { Operation } from './operation.ts'
import { organizationTokenOperations } from './organization-tokens.ts'
import { organizationOperations } from './organizations.ts'
import { policyOperations } from './policies.ts'
import { policyPreviewOperations } from './policy-previews.ts'
import { policyVersionOperations } from './policy-versions.ts'
import { resourceServerOperations } from './resource-servers.ts'
import { roleOperations } from './roles.ts'
import { signingKeyOperations } from './signing-keys.ts'
import { tokenOperations } from './tokens.ts'
import { userTokenOperations } from './user-tokens.ts'
import { userOperations } from './users.ts'

export const OPERATIONS: readonly Operation[] = [
  ...meOperations,
  ...tokenOperations,
  ...userOperations,
  ...userTokenOperations,
  ...organizationOperations,
  ...memberOperations,
  ...roleOperations,
  ...keyOperations,
  ...organizationTokenOperations,
  ...bulkRevocationOperations,
  ...policyOperations,
  ...policyPreviewOperations,
  ...policyVersionOperations,
  ...resourceServerOperations,
  ...clientOperations,
  ...signingKeyOperations,
  ...noticeOperations,
  ...auditEventOperations,
  ...explainOperations,
  ...leakOperations,
]
