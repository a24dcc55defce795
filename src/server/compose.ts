// The composition root: builds every dependency once, in order, and hands back what a process needs to serve.

import type { IncomingMessage, ServerResponse } from 'node:http'
import Koa from 'koa'
import compose from 'koa-compose'
import { createApiRouter } from './api/api.ts'
import { createDocumentationRouter } from './api/documentation.ts'
import { createLeakLimits } from './api/leak-limits.ts'
import { createBurn } from './api/revoke-exposed.ts'
import { composeCredential } from './compose-credential.ts'
import type { Load } from './compose-limits.ts'
import type { Config, SecretKeys } from './config/config.ts'
import { createMakeCredential } from './credential/issue.ts'
import { createRehearseCheck } from './credential/rehearse.ts'
import { standingsPart } from './credential/standing-store.ts'
import { type Database, isDatabaseAway, isReachable } from './db/database.ts'
import { createTurnReader } from './db/turn-reader.ts'
import { apiAudience } from './directory/built-in.ts'
import { hashClientSecret, matchesClientSecret } from './directory/client-secret.ts'
import { clientsPart } from './directory/client-store.ts'
import { createExchange } from './exchange/exchange.ts'
import { findClient, observe, pinOrigin, reportLeftover } from './http/edge.ts'
import { createHealthRouter } from './http/health.ts'
import type { Logger } from './http/log.ts'
import { answerAsOAuth, limitForm } from './http/oauth-boundary.ts'
import { createRevocationRouter } from './http/revocation.ts'
import { instrument } from './instrument.ts'
import { createMakeChange } from './ledger/change.ts'
import { Ledger } from './ledger/ledger.ts'
import { createMetadataRouter, PATHS } from './provider/metadata.ts'
import { toWireError } from './provider/oauth-error.ts'
import { createProvider, TOKEN_FORM_BYTES } from './provider/provider.ts'
import { deriveKeys } from './secret/secret-keys.ts'
import { openKeyRing } from './signing/key-ring.ts'
import { createOwnTokenReader } from './signing/own-token.ts'
import type { Telemetry } from './telemetry/telemetry.ts'

export interface ServerOptions {
  readonly config: Config
  readonly issuer: string
  readonly db: Database
  readonly secretKeys: SecretKeys
  readonly log: Logger
  readonly clock: () => Date
  readonly telemetry: Telemetry
}

export interface Server {
  readonly handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>
  /** How busy it is. */
  readonly readLoad: () => Load
  /** Resolves when every record asked for is durable. */
  readonly drain: () => Promise<void>
}

/** Builds a server on a prepared database: keys, ledger, routes. */
export async function composeServer(options: ServerOptions): Promise<Server> {
  const { config, issuer, db, secretKeys, log, clock, telemetry } = options
  const watched = instrument(telemetry)
  const load = createTurnReader(db, { standing: standingsPart, client: clientsPart }, watched.turnOptions)
  const loadStanding = watched.loadStanding(load.standing)
  const composed = composeCredential({ ...options, loadStanding, watched })
  const { limits, hasher, attemptLimits, ...checks } = composed
  const takePlace = limits.inFlight.take
  const keyRing = await openKeyRing(db, deriveKeys(secretKeys, 'signing-key-encryption'), clock())
  const records = new Ledger(db, watched.onCommit)
  const ledger = watched.ledger(records)
  const { readLoad } = limits
  watched.state({ isReachable: () => isReachable(db), records, keyRing, readLoad, clock })
  const clientSecretKeys = deriveKeys(secretKeys, 'client-secret')
  const provider = createProvider({
    db,
    issuer,
    matchesClientSecret: (presented, hash) => matchesClientSecret(presented, hash, clientSecretKeys),
    loadClient: load.client,
    exchange: watched.exchange(createExchange(checks.verifyCredential)),
    beginLookUp: checks.beginLookUp,
    keyRing,
    signAccessToken: watched.signAccessToken(keyRing),
    ledger,
    attemptLimits,
    takePlace,
    clock,
    subjectTokenTypeAliases: config.subjectTokenTypeAliases,
    onRefusal: watched.onRefusal((refusal) => log.info(refusal, 'token request refused')),
    onFault: (error, requestId) => log.error({ err: error, requestId }, 'token request failed'),
  })
  const change = createMakeChange(db)
  const api = createApiRouter({
    db,
    change,
    recognizeCredentials: checks.recognizeLeaked,
    leakLimits: createLeakLimits(),
    makeCredential: createMakeCredential(hasher),
    verifyCredential: checks.verifyCredential,
    attemptLimits,
    takePlace,
    recheckCredential: checks.recheckCredential,
    hashClientSecret: (secret) => hashClientSecret(secret, clientSecretKeys),
    readOwnToken: createOwnTokenReader(keyRing, issuer, apiAudience(issuer)),
    rehearseCheck: createRehearseCheck(hasher),
    toWireError,
    subjectTokenTypeAliases: config.subjectTokenTypeAliases,
    ledger,
    apiAudience: apiAudience(issuer),
    clock,
  })
  const boundary = { isOutage: isDatabaseAway, log }
  const revocation = createRevocationRouter(PATHS.revocation, {
    ...boundary,
    burn: createBurn({ change, recognizeCredentials: checks.recognizeBurnt }),
    takePlace,
    clock,
  })
  const documentation = createDocumentationRouter(issuer)
  const health = createHealthRouter(() => isReachable(db))
  const metadata = createMetadataRouter(issuer, keyRing)
  const boundedToken = [answerAsOAuth(boundary), limitForm(TOKEN_FORM_BYTES), ...provider.middleware]
  const answerToken = watched.answerToken(compose(boundedToken))

  const app = new Koa()
  app.on('error', (error: unknown) => reportLeftover(log, error))
  for (const middleware of watched.middleware()) app.use(middleware)
  app
    .use(observe(log, isDatabaseAway))
    .use(pinOrigin(issuer))
    .use(findClient(config.trustedProxies))
    .use(limits.inFlight.giveBack)
  // First, since it is what the server is for: nine in ten requests would pass every other route.
  app.use((ctx, next) => (ctx.path === PATHS.token ? answerToken(ctx, next) : next()))
  for (const router of [health, metadata, documentation, revocation, api]) {
    app.use(router.routes()).use(router.allowedMethods())
  }
  return { handle: app.callback(), readLoad, drain: () => records.drain() }
}
