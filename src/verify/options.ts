// Options of `createVerifier`. Checks have no silent defaults: the issuer and the audience are named, and a check is
// switched off by an explicit `null` alone. What is wrong with them, `find-option-problems.ts` says.

import { STATUS_LISTS_PATH } from '../protocol/status-list.ts'
import type { VerifierFetch } from './fetch-document.ts'
import { findOptionProblems } from './find-option-problems.ts'
import { formatEndpointUrl } from './issuer-url.ts'
import type { VerifierSnapshot } from './snapshot.ts'

export interface VerifierOptions {
  /** The issuer's identifier, compared with `iss` character by character. */
  readonly issuer: string
  /** This service's own audience, or several it answers for. `null` accepts tokens meant for anyone. */
  readonly audience: string | readonly string[] | null
  /** Status lists. `null` accepts tokens of credentials that have been revoked or suspended. */
  readonly statusList?: StatusListOptions | null | undefined
  /** Proofs of possession. `null` refuses every token that is bound to a key, and accepts no proof. */
  readonly dpop?: DpopOptions | null | undefined
  /** Where the issuer publishes its keys. Default: `<issuer>/.well-known/jwks.json`. */
  readonly jwksUri?: string | undefined
  /** How long the last good keys serve while the issuer is away. Default 86400 (a day), at most a week. */
  readonly jwksMaxStaleSeconds?: number | undefined
  /** How far this machine's clock may be off, for `exp` and `nbf`. Default 5, at most 60. */
  readonly clockToleranceSeconds?: number | undefined
  /** How many verified tokens are remembered. Default 10000; 0: none. */
  readonly rememberedTokens?: number | undefined
  /** Longest a request to the issuer may take, answer included, and so may `dpop.noteOnce`. Default 5, at most 5. */
  readonly timeoutSeconds?: number | undefined
  /** Told what is known of the issuer whenever something was fetched, to keep it for `hydrate`: never twice at once. What it throws is ignored. */
  readonly persist?: Persist | undefined
  /** Allows plain http to hosts other than this machine: whoever is on the path can then forge tokens. */
  readonly allowInsecureHttp?: boolean | undefined
  /** Replaces the global `fetch`; must honour the `signal` it is given. */
  readonly fetch?: VerifierFetch | undefined
  /** Replaces the clock. */
  readonly now?: (() => Date) | undefined
}

export type Persist = (snapshot: VerifierSnapshot) => void | Promise<void>

export interface StatusListOptions {
  /** Where the lists are fetched, for a service that reaches the issuer by another name. Default: `<issuer>/oauth2/status-lists`. */
  readonly url?: string | undefined
  /** How long the last good list serves while the issuer is away, and never past its `exp`. Default 600, at most a day. */
  readonly maxStaleSeconds?: number | undefined
}

export interface DpopOptions {
  /** How long after its `iat` a proof is accepted. Default 60, at most 300. */
  readonly proofSeconds?: number | undefined
  /** How many proofs are remembered, so that each is accepted once. Default 100000. */
  readonly rememberedProofs?: number | undefined
  /**
   * Notes a proof for so many seconds, and tells whether it was new. Replaces the memory of this process, for services of
   * several that want a proof accepted once among them all.
   */
  readonly noteOnce?: ((id: string, seconds: number) => boolean | Promise<boolean>) | undefined
}

/** Options after checking, with nothing left to default. */
export interface VerifierSettings {
  readonly issuer: string
  readonly audiences: readonly string[] | null
  readonly statusList: StatusListSettings | null
  readonly dpop: DpopSettings | null
  readonly jwksUri: string
  readonly jwksMaxStaleSeconds: number
  readonly clockToleranceSeconds: number
  readonly rememberedTokens: number
  readonly timeoutMs: number
  readonly persist: Persist | undefined
  readonly fetch: VerifierFetch
  readonly now: () => Date
}

export interface StatusListSettings {
  /** What the URIs in tokens begin with. */
  readonly identifier: string
  readonly url: string
  readonly maxStaleSeconds: number
}

export interface DpopSettings {
  readonly proofSeconds: number
  readonly rememberedProofs: number
  readonly noteOnce: DpopOptions['noteOnce']
}

/** Checks and completes the options. Throws a `TypeError` that lists every problem. */
export function resolveOptions(options: VerifierOptions): VerifierSettings {
  const problems = findOptionProblems(options)
  if (problems.length > 0) throw new TypeError(`createVerifier: ${problems.join('; ')}`)
  const { issuer, audience, statusList = {}, dpop = {} } = options
  return {
    issuer,
    audiences: typeof audience === 'string' ? [audience] : audience && [...audience],
    statusList: statusList && resolveStatusList(issuer, statusList),
    dpop: dpop && resolveDpop(dpop),
    jwksUri: options.jwksUri ?? formatEndpointUrl(issuer, '/.well-known/jwks.json'),
    jwksMaxStaleSeconds: options.jwksMaxStaleSeconds ?? 86_400,
    clockToleranceSeconds: options.clockToleranceSeconds ?? 5,
    rememberedTokens: options.rememberedTokens ?? 10_000,
    persist: options.persist,
    timeoutMs: (options.timeoutSeconds ?? 5) * 1000,
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    now: options.now ?? (() => new Date()),
  }
}

function resolveStatusList(issuer: string, { url, maxStaleSeconds }: StatusListOptions): StatusListSettings {
  const identifier = formatEndpointUrl(issuer, STATUS_LISTS_PATH)
  return { identifier, url: url?.replace(/\/$/, '') ?? identifier, maxStaleSeconds: maxStaleSeconds ?? 600 }
}

const resolveDpop = ({ proofSeconds, rememberedProofs, noteOnce }: DpopOptions): DpopSettings => ({
  proofSeconds: proofSeconds ?? 60,
  rememberedProofs: rememberedProofs ?? 100_000,
  noteOnce,
})
