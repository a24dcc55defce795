// `/tokens`: a caller's own credentials, of the organization that the credential they call with is bound to. Whatever
// else there is does not exist.

import type Router from '@koa/router'
import type { Context } from 'koa'
import type { Standing } from '../credential/standing.ts'
import type { Tokens } from '../credential/tokens.ts'
import { checkQuery } from '../http/guard.ts'
import { Problem } from '../http/problem.ts'
import { type Caller, requireCaller } from './caller.ts'
import { recordCredentialChange } from './credential-audit.ts'
import { viewCredential } from './credential-view.ts'
import { decodeCursor, pageQuery, toPage } from './page.ts'

const CREDENTIAL_ID = /^[0-9a-f]{16}$/

export interface TokenDependencies {
  readonly tokens: Tokens
  readonly clock: () => Date
}

export function addTokenRoutes(router: Router, dependencies: TokenDependencies): void {
  router.get('/tokens', (ctx) => listOwnTokens(ctx, dependencies))
  router.get('/tokens/:id', (ctx) => showOwnToken(ctx, dependencies))
  router.delete('/tokens/:id', (ctx) => revokeOwnToken(ctx, dependencies))
}

function requireOwner({ standing }: Caller): { id: string } {
  if (!standing.owner) throw new Problem('forbidden', 'An API key owns no credentials')
  return standing.owner
}

async function listOwnTokens(ctx: Context, { tokens, clock }: TokenDependencies): Promise<void> {
  const caller = requireCaller(ctx, 'tokens:read')
  const { limit, cursor } = checkQuery(ctx, pageQuery)
  const organizationId = caller.standing.organization.id
  const rows = await tokens.list(
    requireOwner(caller).id,
    organizationId,
    limit + 1,
    decodeCursor(cursor, CREDENTIAL_ID),
  )
  const now = clock()
  const viewRow = (row: Standing) => viewCredential(row, now)
  ctx.body = toPage(rows, limit, ({ credential }) => credential, viewRow)
}

async function showOwnToken(ctx: Context, { tokens, clock }: TokenDependencies): Promise<void> {
  const caller = requireCaller(ctx, 'tokens:read')
  const standing = await tokens.findOwned(
    readId(ctx),
    requireOwner(caller).id,
    caller.standing.organization.id,
  )
  if (!standing) throw new Problem('not_found')
  ctx.body = viewCredential(standing, clock())
}

async function revokeOwnToken(ctx: Context, { tokens, clock }: TokenDependencies): Promise<void> {
  const caller = requireCaller(ctx, 'tokens:write')
  const now = clock()
  const revocation = {
    id: readId(ctx),
    ownerId: requireOwner(caller).id,
    organizationId: caller.standing.organization.id,
    by: caller.subject,
  }
  const change = { ...revocation, type: 'credential.revoked', occurredAt: now } as const
  const isRevoked = await tokens.revoke(revocation, now, recordCredentialChange(ctx, caller, change))
  if (!isRevoked) throw new Problem('not_found')
  ctx.status = 204
}

/** The id in the path; what no credential can have is not looked up. */
function readId(ctx: Context): string {
  const id = String(ctx['params'].id)
  if (!CREDENTIAL_ID.test(id)) throw new Problem('not_found')
  return id
}
