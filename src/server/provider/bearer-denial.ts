// Refused exchanges in the words of RFC 6750 section 3, for whoever brought a credential as a bearer. Every credential
// that does not work gets the same bytes.

import type { Context } from 'koa'
import type { Refusal } from '../exchange/refusal.ts'

export type Denial = 'invalid_token' | 'insufficient_scope'

const DENIALS = {
  invalid_token: { status: 401, description: 'the credential is not valid' },
  insufficient_scope: { status: 403, description: 'the credential does not give what is needed here' },
} as const satisfies Record<Denial, { status: number; description: string }>

/** What a refusal is to the bearer; null when it is not theirs, but of the question that was asked for them. */
export function toDenial(refusal: Refusal): Denial | null {
  switch (refusal.reason) {
    case 'subject_token_refused':
      return 'invalid_token'
    case 'audience_not_permitted':
    case 'scope_exceeds':
      return 'insufficient_scope'
    case 'parameter_missing':
    case 'parameter_repeated':
    case 'parameter_malformed':
    case 'parameter_unsupported':
    case 'parameters_too_many':
    case 'actor_token_refused':
    case 'client_unknown':
    case 'client_not_allowed':
    case 'too_many_failures':
    case 'resource_malformed':
    case 'audience_ambiguous':
    case 'audiences_incompatible':
    case 'scope_malformed':
    case 'scopes_differ':
    case 'details_refused':
    case 'proof_refused':
    case 'proof_required':
      return null
  }
}

/** Denies a request. `realm` and `scope` stand in quotes as they are: an issuer, and scopes in the syntax of RFC 6749. */
export function deny(ctx: Context, denial: Denial, realm: string, scope: string | undefined): void {
  const { status, description } = DENIALS[denial]
  const needed = denial === 'insufficient_scope' && scope !== undefined ? `, scope="${scope}"` : ''
  ctx.status = status
  ctx.set('WWW-Authenticate', `Bearer realm="${realm}", error="${denial}"${needed}`)
  ctx.body = { error: denial, error_description: description }
}

/** Asks for a credential: no error is told to whoever brought none (RFC 6750 section 3.1). */
export function demand(ctx: Context, realm: string): void {
  ctx.status = 401
  ctx.set('WWW-Authenticate', `Bearer realm="${realm}"`)
  ctx.body = ''
  ctx.remove('Content-Type')
}
