// Protected resource metadata (RFC 9728): the document with which a client that knows nothing but a service finds the
// issuer of its tokens, and where it stands.

import { DPOP_ALGORITHMS } from '../protocol/dpop.ts'
import { findEndpointProblem } from './issuer-url.ts'

export interface ResourceDescription {
  /** The service's identifier, which is its audience: an absolute URL without a fragment. */
  readonly resource: string
  /** Issuers whose tokens it takes. */
  readonly issuers: readonly string[]
  readonly scopes?: readonly string[] | undefined
  /** For people. */
  readonly name?: string | undefined
  /** URL of a page for developers. */
  readonly documentation?: string | undefined
  /** Whether it takes tokens bound to a key. Default: true, as `createVerifier`. */
  readonly dpop?: boolean | undefined
}

export interface ResourceMetadata {
  /** Where the document is for clients. */
  readonly url: string
  /** Path and query of `url`, for a route. */
  readonly path: string
  /** JSON to answer there, to anybody. */
  readonly document: Readonly<Record<string, unknown>>
}

const WELL_KNOWN = '/.well-known/oauth-protected-resource'

/** Describes a service. Throws a `TypeError` that lists every problem. */
export function describeResource(description: ResourceDescription): ResourceMetadata {
  const problems = findProblems(description)
  if (problems.length > 0) throw new TypeError(`describeResource: ${problems.join('; ')}`)
  const { origin, pathname, search } = new URL(description.resource)
  // Section 3.1: between host and path, and a path that is a slash is none.
  const path = `${WELL_KNOWN}${pathname === '/' ? '' : pathname}${search}`
  return { url: origin + path, path, document: formatDocument(description) }
}

/** Section 2. Members without a value are left out. */
const formatDocument = ({
  resource,
  issuers,
  scopes,
  name,
  documentation,
  dpop = true,
}: ResourceDescription) => ({
  resource,
  authorization_servers: issuers,
  ...(scopes === undefined ? {} : { scopes_supported: scopes }),
  bearer_methods_supported: ['header'],
  ...(dpop ? { dpop_signing_alg_values_supported: DPOP_ALGORITHMS } : {}),
  ...(name === undefined ? {} : { resource_name: name }),
  ...(documentation === undefined ? {} : { resource_documentation: documentation }),
})

function findProblems({ resource, issuers }: ResourceDescription): string[] {
  // http is for tests on one machine; which URLs are safe to ask is the client's to judge.
  const problem = typeof resource === 'string' ? findEndpointProblem(resource, true) : 'must be a URL'
  return [
    problem === undefined ? [] : [`resource ${problem}`],
    problem === undefined && resource.includes('#') ? ['resource must have no fragment'] : [],
    Array.isArray(issuers) && issuers.length > 0 ? [] : ['issuers must name at least one issuer'],
  ].flat()
}
