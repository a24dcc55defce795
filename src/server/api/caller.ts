// Who calls the management API, and what they may do: the credential in `Authorization`, or an access token it was
// exchanged for, checked and decided by the same rules as an exchange for the API's own audience.

import type { Context, Middleware } from 'koa'
import { readAudiences, readScopes } from '../../protocol/access-token.ts'
import { parseCredential } from '../../protocol/credential.ts'
import { type PresentedJwt, parseJwt } from '../../protocol/presented-jwt.ts'
import { fail, ok, type Result } from '../../protocol/result.ts'
import { anyCovers, narrowScopes } from '../../protocol/scope.ts'
import type { AttemptLimits } from '../credential/attempt-limits.ts'
import { type Permission, type Standing, subjectOf } from '../credential/standing.ts'
import type { RecheckCredential, VerificationContext, VerifyCredential } from '../credential/verify.ts'
import type { ApiScope } from '../directory/built-in.ts'
import { listGranted } from '../exchange/granted.ts'
import type { RefusedPresentation } from '../exchange/present.ts'
import { describeOrigin } from '../http/origin.ts'
import { Problem, tooManyRequests } from '../http/problem.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { ReadOwnToken } from '../signing/own-token.ts'
import { type Challenge, challenge, nameMetadata } from './challenge.ts'
import {
  challengeDpop,
  challengeToken,
  type PresentedToken,
  readPresentedToken,
  type TokenReading,
} from './presented-token.ts'

/**
 * A caller, with what they may do right now, as granted: a wildcard says that whatever is declared later belongs to it
 * too. That is what is compared when they hand rights on.
 */
export interface Caller {
  readonly subject: string
  /** Who calls: the subject, or whoever acts for them (RFC 8693 section 4.1). */
  readonly actor: string
  readonly standing: Standing
  /** Of the management API. */
  readonly scopes: readonly string[]
  /** What it may do at every resource server. An access token holds nothing but its scopes here. */
  readonly permissions: readonly Permission[]
  /** Whether the caller's rights reach every organization, or only their credential's. */
  readonly isPlatformWide: boolean
  /** Whether a person signed in for this call, rather than present what anyone could who got hold of it. */
  readonly isInteractive: boolean
  /** Whether the value of the credential itself was presented, rather than an access token it was exchanged for. */
  readonly holdsCredential: boolean
}

export interface CallerDependencies extends TokenReading {
  readonly verifyCredential: VerifyCredential
  readonly recheckCredential: RecheckCredential
  readonly readOwnToken: ReadOwnToken
  readonly isTokenRevoked: (tokenId: string) => Promise<boolean>
  readonly attemptLimits: AttemptLimits
  readonly ledger: Pick<Ledger, 'record' | 'touch'>
  readonly apiAudience: string
  /** URL of the API's metadata (RFC 9728). */
  readonly resourceMetadata: string
  readonly clock: () => Date
}

/**
 * Whatever their role, everyone may see and revoke what they hold. Only a credential narrowed at creation may not, nor
 * one whose issuer could not.
 */
export const SELF_SERVICE = ['tokens:read', 'tokens:write']

/**
 * Identifies the caller or answers 401 (RFC 6750 section 3). Which rule a credential fails is never told; the record
 * says it.
 */
export function authenticate(dependencies: CallerDependencies): Middleware {
  const { ledger, resourceMetadata, clock } = dependencies
  return async (ctx, next) => {
    nameMetadata(ctx, resourceMetadata)
    const now = clock()
    const presented = await readPresentedToken(ctx, dependencies, now)
    if (!presented.ok) throw refuse(ctx, presented.error)
    const { ip: address, userAgent, requestId } = describeOrigin(ctx, now, null)
    const context = { now, address, clientId: null, userAgent, requestId }
    const caller = await identify(presented.value, context, dependencies)
    if (!caller.ok) {
      if (caller.error === 'proof_replayed') throw refuse(ctx, challengeDpop('invalid_dpop_proof'))
      await recordRefusal(context, caller.error, ledger)
      throw refuse(ctx, challengeToken(presented.value.proof, 'invalid_token'))
    }
    ctx.state['caller'] = caller.value
    ctx.state['proof'] = presented.value.proof
    const { id: credentialId, lastUsedAt } = caller.value.standing.credential
    await ledger.touch({ credentialId, lastUsedAt, usedAt: now, ip: address })
    await next()
  }
}

function refuse(ctx: Context, needed: Challenge): Problem {
  challenge(ctx, needed)
  return new Problem('unauthorized')
}

/** Of an unknown credential too: without the time it takes, the answer would tell which ids exist. */
async function recordRefusal(
  { now, address, userAgent, requestId }: VerificationContext,
  refused: RefusedCaller | undefined,
  ledger: Pick<Ledger, 'record'>,
): Promise<void> {
  if (!refused) return
  const { refusal, standing, credentialId } = refused
  await ledger.record({
    type: 'api.refused',
    reason: refusal.reason,
    occurredAt: now,
    organizationId: standing?.organization.id,
    subject: standing && subjectOf(standing),
    credentialId,
    ip: address,
    userAgent,
    requestId,
  })
}

interface RefusedCaller extends RefusedPresentation {
  readonly credentialId: string
}

type CallerRefusal = RefusedCaller | 'proof_replayed' | undefined

/**
 * Who stands behind a credential, or behind an access token for this API with the credential it came from. Fails with
 * nothing when what was presented is neither. An access token is no guess: its signature is checked before anything is
 * looked up.
 */
async function identify(
  { token, proof }: PresentedToken,
  context: VerificationContext,
  dependencies: CallerDependencies,
): Promise<Result<Caller, CallerRefusal>> {
  const { verifyCredential, attemptLimits, apiAudience } = dependencies
  // A credential is bound to no key, so no proof makes it another one.
  const presented = proof === null ? parseCredential(token) : undefined
  if (presented) {
    const admitted = await attemptLimits.admit({ address: context.address, clientId: null, presented })
    if (!admitted.ok) throw tooManyRequests(admitted.error.retryAfterSeconds)
    const verified = await verifyCredential(presented, context)
    return verified.ok
      ? ok(toCaller(verified.value, apiAudience))
      : fail({ ...verified.error, credentialId: presented.id })
  }
  const jwt = parseJwt(token)
  return jwt ? identifyByToken(jwt, proof, context, dependencies) : fail(undefined)
}

async function identifyByToken(
  jwt: PresentedJwt,
  proof: PresentedToken['proof'],
  context: VerificationContext,
  { recheckCredential, readOwnToken, isTokenRevoked, proofs, apiAudience }: CallerDependencies,
): Promise<Result<Caller, CallerRefusal>> {
  const own = await readOwnToken(jwt, context.now)
  if (!own || !readAudiences(own).includes(apiAudience)) return fail(undefined)
  // A bound token is no bearer's, nor is a bearer's token bound by somebody's proof (RFC 9449 section 7.2).
  if (own.cnf?.jkt !== proof?.keyThumbprint) return fail(undefined)
  // Only now: a proof for a token that is none is not worth a row.
  if (proof && !(await proofs.spendProof(proof))) return fail('proof_replayed')
  const [rechecked, isRevoked] = await Promise.all([
    recheckCredential(own.cred, context),
    isTokenRevoked(own.jti),
  ])
  if (!rechecked.ok) return fail({ ...rechecked.error, credentialId: own.cred })
  if (isRevoked)
    return fail({ refusal: { reason: 'token_revoked' }, standing: rechecked.value, credentialId: own.cred })
  const caller = toCaller(rechecked.value, apiAudience)
  const scopes = narrowScopes(caller.scopes, readScopes(own))
  const actor = own.act?.sub ?? caller.actor
  return ok({
    ...caller,
    actor,
    scopes,
    permissions: [{ audience: apiAudience, scopes }],
    holdsCredential: false,
  })
}

function toCaller(standing: Standing, apiAudience: string): Caller {
  const { credential, role } = standing
  const permissions = listGranted(standing).map(({ audience, scopes }) => ({ audience, scopes }))
  const ofRole = permissions.filter(({ audience }) => audience === apiAudience)
  const scopes = [...ofRole.flatMap((one) => one.scopes), ...(credential.permissions ? [] : SELF_SERVICE)]
  return {
    subject: subjectOf(standing),
    actor: subjectOf(standing),
    standing,
    scopes: credential.issuedScopes ? narrowScopes(scopes, credential.issuedScopes) : scopes,
    permissions,
    isInteractive: false,
    holdsCredential: true,
    isPlatformWide: role?.reach === 'platform' && credential.issuedReach !== 'organization',
  }
}

/** Whether a caller needs no scope for what the path names, as its parameters were sent. */
export type Exempt = (caller: Caller, params: Readonly<Record<string, string>>) => boolean

/** The caller, who must hold `scope`; 403 otherwise. */
export function requireScope(ctx: Context, scope: ApiScope | 'any_caller', exempt?: Exempt): Caller {
  const caller = ctx.state['caller'] as Caller
  if (scope === 'any_caller' || anyCovers(caller.scopes, scope)) return caller
  if (exempt?.(caller, ctx['params'])) return caller
  challenge(
    ctx,
    challengeToken(ctx.state['proof'] as PresentedToken['proof'], 'insufficient_scope', { scope }),
  )
  throw new Problem('forbidden', `The scope ${scope} is needed`)
}
