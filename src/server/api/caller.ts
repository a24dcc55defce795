// Who calls the management API, and what they may do: the credential in `Authorization`, or an access token it was
// exchanged for, checked and decided by the same rules as an exchange for the API's own audience.

import type { Context, Middleware } from 'koa'
import { parseCredential } from '../../protocol/credential.ts'
import { anyCovers, narrowScopes } from '../../protocol/scope.ts'
import { type Permission, type Standing, subjectOf } from '../credential/standing.ts'
import type { RecheckCredential, VerificationContext, VerifyCredential } from '../credential/verify.ts'
import type { ApiScope } from '../directory/built-in.ts'
import { listTargets } from '../exchange/decide.ts'
import { Problem } from '../http/problem.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { ReadOwnToken } from '../signing/own-token.ts'

/** A caller, with scopes of the management API as they are right now. */
export interface Caller {
  readonly subject: string
  readonly standing: Standing
  readonly scopes: readonly string[]
  /** What it may do at every resource server. An access token holds nothing but its scopes here. */
  readonly permissions: readonly Permission[]
  /** Whether the caller's rights reach every organization, or only their credential's. */
  readonly isPlatformWide: boolean
  /** Whether a person signed in for this call, rather than present what anyone could who got hold of it. */
  readonly isInteractive: boolean
}

export interface CallerDependencies {
  readonly verifyCredential: VerifyCredential
  readonly recheckCredential: RecheckCredential
  readonly readOwnToken: ReadOwnToken
  readonly ledger: Ledger
  readonly apiAudience: string
  readonly clock: () => Date
}

/** Whatever their role, everyone may see and revoke what they hold; only a credential narrowed at creation may not. */
const SELF_SERVICE = ['tokens:read', 'tokens:write']

const BEARER = /^Bearer ([\w.~+/-]+=*)$/i

/** Identifies the caller or answers 401 (RFC 6750 section 3). Which rule a credential fails is never told. */
export function authenticate(dependencies: CallerDependencies): Middleware {
  const { ledger, clock } = dependencies
  return async (ctx, next) => {
    const [, token = ''] = BEARER.exec(ctx.get('Authorization')) ?? []
    const context = { now: clock(), address: ctx.ip }
    const caller = token ? await identify(token, context, dependencies) : undefined
    if (!caller) {
      ctx.set('WWW-Authenticate', token ? 'Bearer error="invalid_token"' : 'Bearer')
      throw new Problem('unauthorized')
    }
    ctx.state['caller'] = caller
    await ledger.touch({ credentialId: caller.standing.credential.id, usedAt: context.now, ip: ctx.ip })
    await next()
  }
}

/** Who stands behind a credential, or behind an access token for this API with the credential it came from. */
async function identify(
  token: string,
  context: VerificationContext,
  { verifyCredential, recheckCredential, readOwnToken, apiAudience }: CallerDependencies,
): Promise<Caller | undefined> {
  const presented = parseCredential(token)
  if (presented) {
    const verified = await verifyCredential(presented, context)
    return verified.ok ? toCaller(verified.value, apiAudience) : undefined
  }
  const own = await readOwnToken(token, context.now)
  const standing = own && (await recheckCredential(own.credentialId, context))
  if (!standing) return undefined
  const caller = toCaller(standing, apiAudience)
  const scopes = narrowScopes(caller.scopes, own.scopes)
  return { ...caller, scopes, permissions: [{ audience: apiAudience, scopes }] }
}

function toCaller(standing: Standing, apiAudience: string): Caller {
  const { credential, role } = standing
  const targets = listTargets(standing, null)
  const ofRole = targets.filter(({ audience }) => audience === apiAudience).flatMap(({ scopes }) => scopes)
  return {
    subject: subjectOf(standing),
    standing,
    scopes: [...ofRole, ...(credential.permissions ? [] : SELF_SERVICE)],
    permissions: targets.map(({ audience, scopes }) => ({ audience, scopes })),
    isInteractive: false,
    isPlatformWide: role?.reach === 'platform' && credential.issuedReach !== 'organization',
  }
}

/** The caller, who must hold `scope`; 403 otherwise. */
export function requireScope(ctx: Context, scope: ApiScope | 'any_caller'): Caller {
  const caller = ctx.state['caller'] as Caller
  if (scope === 'any_caller' || anyCovers(caller.scopes, scope)) return caller
  ctx.set('WWW-Authenticate', `Bearer error="insufficient_scope", scope="${scope}"`)
  throw new Problem('forbidden', `The scope ${scope} is needed`)
}
