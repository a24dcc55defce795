// The composition root: builds every dependency once, in order, and hands back what a process needs to serve.

import type { IncomingMessage, ServerResponse } from 'node:http'
import Koa from 'koa'
import { composeCredential } from './compose-credential.ts'
import type { Load } from './compose-limits.ts'
import { composeManagement } from './compose-management.ts'
import { composeProofs } from './compose-proof.ts'
import { composeSigning } from './compose-signing.ts'
import { composeStatusLists } from './compose-status.ts'
import { composeTokenEndpoints } from './compose-token-endpoint.ts'
import type { Config, SecretKeys } from './config/config.ts'
import { standingsPart } from './credential/standing-store.ts'
import { type Database, isDatabaseAway } from './db/database.ts'
import { createReadinessCheck } from './db/readiness.ts'
import { createTurnReader } from './db/turn-reader.ts'
import { clientsPart } from './directory/client-store.ts'
import { findClient, observe, pinOrigin, reportLeftover } from './http/edge.ts'
import { createHealthRouter } from './http/health.ts'
import type { Logger } from './http/log.ts'
import { refuseProofs } from './http/refuse-proof.ts'
import { createStatusListRouter } from './http/status-lists.ts'
import { instrument } from './instrument.ts'
import { Ledger } from './ledger/ledger.ts'
import { createMetadataRouter, PATHS } from './provider/metadata.ts'
import { createOwnTokenReader } from './signing/own-token.ts'
import { createRevokedTokenCheck } from './signing/revoked-token-store.ts'
import type { Telemetry } from './telemetry/telemetry.ts'

/** What everything that works on a prepared database is given. */
export interface Foundation {
  readonly config: Config
  readonly issuer: string
  readonly db: Database
  readonly secretKeys: SecretKeys
  readonly log: Logger
  readonly clock: () => Date
  readonly telemetry: Telemetry
}

export interface ServerOptions extends Foundation {
  /**
   * The same database by connections of their own, for what every exchange waits for: whatever else is asked for cannot
   * take them. Their statements keep their plans.
   */
  readonly exchangeDb: Database
}

export interface Server {
  readonly handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>
  /** How busy it is. */
  readonly readLoad: () => Load
  /** Resolves when every record asked for is durable, and nothing else is asked of the database. */
  readonly drain: () => Promise<void>
}

/** Builds a server on a prepared database: keys, ledger, routes. */
export async function composeServer(options: ServerOptions): Promise<Server> {
  const { config, issuer, db, exchangeDb, log, clock, telemetry } = options
  const watched = instrument(telemetry)
  const parts = { standing: standingsPart, client: clientsPart }
  const load = createTurnReader(exchangeDb, parts, watched.turnOptions)
  const loadStanding = watched.loadStanding(load.standing)
  const composed = composeCredential({ ...options, loadStanding, watched })
  const { limits } = composed
  const { keyRing, turnRing, stop: stopFollowing } = await composeSigning({ ...options, watched })
  const records = new Ledger(exchangeDb, {
    onCommit: watched.onCommit,
    isPressed: () => limits.hashQueue.waiting > 0,
  })
  const ledger = watched.ledger(records)
  const isReady = createReadinessCheck(db)
  const readOwnToken = createOwnTokenReader(keyRing, issuer)
  const statusLists = composeStatusLists({ ...options, keyRing })
  watched.state({ isReady, records, keyRing, statusLists, readLoad: limits.readLoad, clock })
  const proofs = composeProofs(options)
  const isTokenRevoked = createRevokedTokenCheck(exchangeDb)
  const { answerToken, introspection, forwardAuth } = composeTokenEndpoints({
    ...options,
    loadClient: load.client,
    checks: composed,
    keyRing,
    readOwnToken,
    proofs,
    isTokenRevoked,
    ledger,
    watched,
  })
  const management = composeManagement({
    ...options,
    checks: composed,
    loadStanding,
    turnRing,
    readOwnToken,
    isTokenRevoked,
    proofs,
    ledger,
  })
  const { jwksMaxAgeSeconds } = config.signingKeys
  const open = [
    createHealthRouter(isReady),
    createMetadataRouter(issuer, keyRing, jwksMaxAgeSeconds),
    createStatusListRouter(PATHS.statusLists, statusLists),
  ]

  const app = new Koa()
  app.on('error', (error: unknown) => reportLeftover(log, error))
  for (const middleware of watched.middleware()) app.use(middleware)
  app
    .use(observe(log, isDatabaseAway))
    .use(pinOrigin(issuer))
    .use(findClient(config.trustedProxies))
    .use(limits.inFlight.giveBack)
  // First, since it is what the server is for: nine in ten requests would pass every other route.
  app.use((ctx, next) => {
    if (ctx.path !== PATHS.token) return next()
    // As the routers leave it.
    ctx['_matchedRoute'] = PATHS.token
    return answerToken(ctx, next)
  })
  app.use(refuseProofs('/oauth2/'))
  for (const router of [forwardAuth, ...open, introspection, ...management]) {
    app.use(router.routes()).use(router.allowedMethods())
  }
  return {
    handle: app.callback(),
    readLoad: limits.readLoad,
    drain: async () => {
      await Promise.all([records.drain(), stopFollowing()])
    },
  }
}
