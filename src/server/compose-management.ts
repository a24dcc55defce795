// Management, put together: the API, its documentation, and the revocation endpoint, which ends what the API issues.

import type Router from '@koa/router'
import { createApiRouter } from './api/api.ts'
import type { CallerDependencies } from './api/caller.ts'
import type { TurnRing } from './api/dependencies.ts'
import { createDocumentationRouter } from './api/documentation.ts'
import { createLeakLimits } from './api/leak-limits.ts'
import { createBurn } from './api/revoke-exposed.ts'
import { createRevokeToken } from './api/revoke-token.ts'
import type { Foundation } from './compose.ts'
import type { CredentialChecks } from './compose-credential.ts'
import { createMakeCredential } from './credential/issue.ts'
import { createRehearseCheck } from './credential/rehearse.ts'
import type { Standing } from './credential/standing.ts'
import { isDatabaseAway } from './db/database.ts'
import { createReadTogether } from './db/read-together.ts'
import { apiAudience } from './directory/built-in.ts'
import { hashClientSecret } from './directory/client-secret.ts'
import { createRevocationRouter } from './http/revocation.ts'
import { createMakeChange } from './ledger/change.ts'
import { createEnqueue } from './notices/queue.ts'
import { apiMetadataUrl, PATHS } from './provider/metadata.ts'
import { toWireError } from './provider/oauth-error.ts'
import { deriveKeys } from './secret/secret-keys.ts'

export interface ManagementOptions
  extends Foundation,
    Pick<CallerDependencies, 'readOwnToken' | 'isTokenRevoked' | 'proofs' | 'ledger'> {
  readonly checks: CredentialChecks
  readonly loadStanding: (id: string) => Promise<Standing | undefined>
  readonly turnRing: TurnRing
}

export function composeManagement(options: ManagementOptions): Router[] {
  const { config, issuer, db, secretKeys, log, clock, checks, loadStanding, ...shared } = options
  const clientSecretKeys = deriveKeys(secretKeys, 'client-secret')
  const takePlace = checks.limits.inFlight.take
  const change = createMakeChange(db)
  const api = createApiRouter({
    ...shared,
    db,
    readTogether: createReadTogether(db),
    change,
    issuer,
    recognizeCredentials: checks.recognizeLeaked,
    leakLimits: createLeakLimits(),
    makeCredential: createMakeCredential(checks.hasher),
    verifyCredential: checks.verifyCredential,
    attemptLimits: checks.attemptLimits,
    takePlace,
    recheckCredential: checks.recheckCredential,
    hashClientSecret: (secret) => hashClientSecret(secret, clientSecretKeys),
    rehearseCheck: createRehearseCheck(checks.hasher),
    enqueueNotices: config.notices ? createEnqueue(db, config.notices) : null,
    toWireError,
    subjectTokenTypeAliases: config.subjectTokenTypeAliases,
    apiAudience: apiAudience(issuer),
    resourceMetadata: apiMetadataUrl(issuer),
    clock,
  })
  const revocation = createRevocationRouter(PATHS.revocation, {
    isOutage: isDatabaseAway,
    log,
    burn: createBurn({
      change,
      recognizeCredentials: checks.recognizeBurnt,
      revokeToken: createRevokeToken({ change, readOwnToken: options.readOwnToken, loadStanding }),
    }),
    takePlace,
    clock,
  })
  return [createDocumentationRouter(issuer), revocation, api]
}
