// Options that all middleware shares: every problem at once, before anything is served.

import { isConcreteScope } from '../protocol/scope.ts'
import type { ResourceMetadata } from './describe-resource.ts'
import { findUnknownMembers } from './find-unknown-members.ts'
import { findIssuerProblem } from './issuer-url.ts'
import type { PublicUrl } from './request-url.ts'
import type { Verifier } from './verifier.ts'

/** `Context` is what the framework hands a middleware: Koa's context, the request of Express, Fastify or fetch. */
export interface GuardOptions<Context> {
  readonly verifier: Pick<Verifier, 'verifyRequest' | 'takesDpop'>
  /** Scopes a token must hold, every one of them, or what tells them of a request. Absent: every good token passes. */
  readonly scope?: string | readonly string[] | ScopeOf<Context> | undefined
  /** `realm` of the challenges. */
  readonly realm?: string | undefined
  /**
   * Where clients see this service. DPoP proofs are made for that URL, and it cannot be told from a request, whose
   * Host header says what the sender likes: needed unless the verifier was made with `dpop: null`.
   */
  readonly publicUrl?: PublicUrl<Context> | undefined
  /** From `describeResource`; challenges then say where it is (RFC 9728 section 5.1). */
  readonly metadata?: Pick<ResourceMetadata, 'url'> | undefined
}

/** Tells what a request takes, such as `orders/17:read`. It runs after the token is found good. */
export type ScopeOf<Context> = (
  context: Context,
) => string | readonly string[] | Promise<string | readonly string[]>

const MEMBERS: Readonly<Record<keyof GuardOptions<unknown>, true>> = {
  verifier: true,
  scope: true,
  realm: true,
  publicUrl: true,
  metadata: true,
}

/** Throws a `TypeError` that lists every problem. */
export function checkGuardOptions<Context>(options: GuardOptions<Context>): void {
  const problems = findProblems(options)
  if (problems.length > 0) throw new TypeError(`requireToken: ${problems.join('; ')}`)
}

function findProblems<Context>(options: GuardOptions<Context>): string[] {
  // Callers in plain JavaScript may pass anything at all.
  if (typeof options !== 'object' || options === null) return ['options must be an object']
  const { verifier, scope, realm, metadata } = options
  if (typeof verifier?.verifyRequest !== 'function') return ['verifier must be what createVerifier made']
  return [
    findUnknownMembers(options, MEMBERS),
    scope === undefined || typeof scope === 'function' || isRequirable(scope)
      ? []
      : ['scope must name at least one scope, each without spaces and wildcards, or be a function'],
    realm === undefined || isQuotable(realm)
      ? []
      : ['realm must be printable ASCII without quotation marks and backslashes'],
    findPublicUrlProblems(options),
    metadata === undefined || isQuotable(metadata?.url)
      ? []
      : ['metadata must be what describeResource made'],
  ].flat()
}

const isRequirable = (scope: unknown): boolean => {
  const scopes = [scope].flat()
  return scopes.length > 0 && scopes.every((one) => typeof one === 'string' && isConcreteScope(one))
}

/** What a quoted string holds without escapes (RFC 9110 section 5.6.4). */
const isQuotable = (text: unknown): boolean =>
  typeof text === 'string' && /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/.test(text)

function findPublicUrlProblems<Context>({ verifier, publicUrl }: GuardOptions<Context>): string[] {
  if (typeof publicUrl === 'function') return []
  if (publicUrl === undefined) {
    return verifier.takesDpop
      ? ['publicUrl must be named, for DPoP proofs are made for a URL; or createVerifier must get dpop: null']
      : []
  }
  // Between a proxy and this service http will do: it is compared, nothing is sent there.
  const problem = typeof publicUrl === 'string' ? findIssuerProblem(publicUrl, true) : 'must be a URL'
  return problem === undefined ? [] : [`publicUrl ${problem}`]
}
