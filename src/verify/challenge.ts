// Challenges of a resource server: RFC 6750 section 3 and RFC 9449 section 7.1. Their parameters travel in quoted
// strings: none may hold `"`, `\` or anything the token brought.

import { DPOP_ALGORITHMS } from '../protocol/dpop.ts'

export type Scheme = 'Bearer' | 'DPoP'

/** One challenge of a `WWW-Authenticate` header. */
export interface Challenge {
  readonly scheme: Scheme
  readonly parameters: Readonly<Record<string, string>>
}

/** How a token came, and whether it could have come by DPoP. */
export interface Presentation {
  readonly scheme: Scheme
  readonly takesDpop: boolean
}

export const BEARER_ONLY: Presentation = { scheme: 'Bearer', takesDpop: false }

/** How a token came that was accepted: one bound to a key only ever does with a proof. */
export const presentationOf = ({ cnf }: { readonly cnf?: unknown }): Presentation =>
  cnf === undefined ? BEARER_ONLY : { scheme: 'DPoP', takesDpop: true }

/**
 * What a client is told that presented its token so: `parameters` by the scheme it used. Whoever came as a bearer learns
 * of DPoP besides, where it is taken.
 */
export function composeChallenges(
  { scheme, takesDpop }: Presentation,
  parameters: Challenge['parameters'],
): readonly Challenge[] {
  const dpop = { scheme: 'DPoP', parameters: { algs: DPOP_ALGORITHMS.join(' ') } } as const
  if (scheme === 'DPoP' && takesDpop) return [{ scheme, parameters: { ...parameters, ...dpop.parameters } }]
  const bearer = { scheme: 'Bearer', parameters } as const
  return takesDpop ? [bearer, dpop] : [bearer]
}

/** The value of the header `WWW-Authenticate`; `shared` are parameters for each challenge, such as `realm`. */
export const formatChallenges = (
  challenges: readonly Challenge[],
  shared: Challenge['parameters'] = {},
): string =>
  challenges
    .map(({ scheme, parameters }) => {
      const quoted = Object.entries({ ...shared, ...parameters }).map(([name, value]) => `${name}="${value}"`)
      return [scheme, quoted.join(', ')].filter(Boolean).join(' ')
    })
    .join(', ')
