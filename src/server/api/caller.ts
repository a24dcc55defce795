// Who calls the management API, and what they may do: the credential in `Authorization`, checked and decided by the
// same rules as an exchange for the API's own audience.

import type { Context, Middleware } from 'koa'
import { parseCredential } from '../../protocol/credential.ts'
import { anyCovers } from '../../protocol/scope.ts'
import { type Standing, subjectOf } from '../credential/standing.ts'
import type { VerifyCredential } from '../credential/verify.ts'
import { listTargets } from '../exchange/decide.ts'
import { Problem } from '../http/problem.ts'
import type { Ledger } from '../ledger/ledger.ts'

/** A caller, with scopes of the management API as they are right now. */
export interface Caller {
  readonly subject: string
  readonly standing: Standing
  readonly scopes: readonly string[]
  /** Whether the caller's rights reach every organization, or only their credential's. */
  readonly isPlatformWide: boolean
}

export interface CallerDependencies {
  readonly verifyCredential: VerifyCredential
  readonly ledger: Ledger
  readonly apiAudience: string
  readonly clock: () => Date
}

/** Whatever their role, everyone may see and revoke what they hold; only a credential narrowed at creation may not. */
const SELF_SERVICE = ['tokens:read', 'tokens:write']

const BEARER = /^Bearer ([\w.~+/-]+=*)$/i

/** Identifies the caller or answers 401 (RFC 6750 section 3). Which rule a credential fails is never told. */
export function authenticate(dependencies: CallerDependencies): Middleware {
  const { verifyCredential, ledger, apiAudience, clock } = dependencies
  return async (ctx, next) => {
    const [, token = ''] = BEARER.exec(ctx.get('Authorization')) ?? []
    const presented = parseCredential(token)
    const now = clock()
    const verified = presented && (await verifyCredential(presented, { now, address: ctx.ip }))
    if (!verified?.ok) {
      ctx.set('WWW-Authenticate', token ? 'Bearer error="invalid_token"' : 'Bearer')
      throw new Problem('unauthorized')
    }
    const standing = verified.value
    const target = listTargets(standing, null, [apiAudience]).at(0)
    const caller: Caller = {
      subject: subjectOf(standing),
      standing,
      scopes: [...(target?.scopes ?? []), ...(standing.credential.permissions ? [] : SELF_SERVICE)],
      isPlatformWide:
        standing.role?.reach === 'platform' && standing.credential.issuedReach !== 'organization',
    }
    ctx.state['caller'] = caller
    await ledger.touch({ credentialId: standing.credential.id, usedAt: now, ip: ctx.ip })
    await next()
  }
}

/** The caller, who must hold `scope`; 403 otherwise. */
export function requireCaller(ctx: Context, scope: string): Caller {
  const caller = ctx.state['caller'] as Caller
  if (anyCovers(caller.scopes, scope)) return caller
  ctx.set('WWW-Authenticate', `Bearer error="insufficient_scope", scope="${scope}"`)
  throw new Problem('forbidden', `The scope ${scope} is needed`)
}
