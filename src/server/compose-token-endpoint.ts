// The endpoints of exchanges, and introspection. The token endpoint: exchanges by the straight way where that will do,
// everything else by oidc-provider, which authenticates clients. And the exchange that proxies ask for.

import Router from '@koa/router'
import type { Middleware } from 'koa'
import compose from 'koa-compose'
import { composePublishedKeys } from './compose-client-keys.ts'
import type { CredentialChecks } from './compose-credential.ts'
import type { Config, SecretKeys } from './config/config.ts'
import { type Database, isDatabaseAway } from './db/database.ts'
import { matchesClientSecret } from './directory/client-secret.ts'
import type { ProofChecks } from './dpop/proof-checks.ts'
import { createExchange } from './exchange/exchange.ts'
import { createIntrospect, type NoteUse } from './exchange/introspect.ts'
import { createCheckPresented } from './exchange/present.ts'
import type { Logger } from './http/log.ts'
import { answerAsOAuth, limitForm } from './http/oauth-boundary.ts'
import type { Watched } from './instrument.ts'
import type { Ledger } from './ledger/ledger.ts'
import { createAnswerExchange } from './provider/answer.ts'
import type { LoadClient } from './provider/client-id.ts'
import { TOKEN_FORM_BYTES } from './provider/form.ts'
import { createForwardAuth } from './provider/forward-auth.ts'
import { answerIntrospection } from './provider/introspection.ts'
import { PATHS } from './provider/metadata.ts'
import { createProvider } from './provider/provider.ts'
import { createPublicExchange } from './provider/public-exchange.ts'
import { createReportError } from './provider/report.ts'
import { deriveKeys } from './secret/secret-keys.ts'
import type { KeyRing } from './signing/key-ring.ts'
import type { ReadOwnToken } from './signing/own-token.ts'

export interface TokenEndpointsOptions {
  readonly config: Config
  readonly issuer: string
  readonly db: Database
  readonly loadClient: LoadClient
  readonly checks: CredentialChecks
  readonly keyRing: KeyRing
  readonly readOwnToken: ReadOwnToken
  readonly proofs: ProofChecks
  readonly isTokenRevoked: (tokenId: string) => Promise<boolean>
  readonly ledger: Pick<Ledger, 'record' | 'touch'>
  readonly secretKeys: SecretKeys
  readonly log: Logger
  readonly clock: () => Date
  readonly watched: Watched
}

export interface TokenEndpoints {
  readonly answerToken: Middleware
  readonly introspection: Router
  readonly forwardAuth: Router
}

export function composeTokenEndpoints(options: TokenEndpointsOptions): TokenEndpoints {
  const { config, issuer, db, loadClient, checks, keyRing, proofs, ledger, log, clock, watched } = options
  const { attemptLimits, limits } = checks
  const clientSecretKeys = deriveKeys(options.secretKeys, 'client-secret')
  const presentation = {
    ...checks,
    readToken: options.readOwnToken,
    isTokenRevoked: options.isTokenRevoked,
  }
  const checkPresented = createCheckPresented({
    ...presentation,
    noteForged: ({ address, clientId }) => attemptLimits.noteFailure({ address, clientId, presented: null }),
  })
  const shared = {
    loadClient,
    beginLookUp: checks.beginLookUp,
    attemptLimits,
    takePlace: limits.inFlight.take,
    subjectTokenTypeAliases: config.subjectTokenTypeAliases,
    proofs,
    tokenUri: issuer + PATHS.token,
    clock,
    deadlineMs: config.exchangeDeadlineMs,
    answerExchange: createAnswerExchange({
      issuer,
      exchange: watched.exchange(createExchange(checkPresented)),
      spendProof: proofs.spendProof,
      noteFailure: attemptLimits.noteFailure,
      signAccessToken: watched.signAccessToken(keyRing),
      ledger,
      clock,
    }),
    reportError: createReportError({
      attemptLimits,
      onRefusal: watched.onRefusal((refusal) => log.info(refusal, 'token request refused')),
      onFault: (error, requestId) => log.error({ err: error, requestId }, 'token request failed'),
    }),
  }
  const provider = createProvider({
    ...shared,
    db,
    issuer,
    clock,
    publishedKeys: composePublishedKeys(config, log),
    matchesClientSecret: (presented, hash) => matchesClientSecret(presented, hash, clientSecretKeys),
  })
  const noteUse: NoteUse = ({ credential: { id, lastUsedAt } }, { now, address }) =>
    ledger.touch({ credentialId: id, lastUsedAt, usedAt: now, ip: address })
  const introspect = createIntrospect({ ...presentation, issuer, noteUse })
  const byProvider = compose([
    answerAsOAuth({ isOutage: isDatabaseAway, log }),
    limitForm(TOKEN_FORM_BYTES),
    answerIntrospection({ ...shared, introspect, clock }),
    ...provider.middleware,
  ])
  const forwardAuth = createForwardAuth({ ...shared, issuer })
  const newRouter = (): Router => new Router({ sensitive: true, strict: true })
  return {
    answerToken: watched.answerToken(compose([createPublicExchange(shared), byProvider])),
    introspection: newRouter().post(PATHS.introspection, byProvider),
    // Proxies ask by the method of the request they hold. Without a credential nothing is exchanged, or measured as such.
    forwardAuth: newRouter().all(
      PATHS.forwardAuth,
      forwardAuth.readQuestion,
      watched.answerToken(forwardAuth.exchange),
    ),
  }
}
