// The token of a request, from its Authorization header alone (RFC 6750 section 2.1, RFC 9449 section 7.1): never from
// the query or the body, where tokens end up in logs. Knows no web framework.

import type { Scheme } from './challenge.ts'
import { VerifyError } from './verify-error.ts'

/** What a verifier reads of an HTTP request. */
export interface IncomingRequest {
  readonly method: string
  /** Absolute, as the client sees it: what a proof has to be for. */
  readonly url: string
  /** The header of this name; a list when it came more than once. */
  readonly authorization: string | readonly string[] | undefined
  /** The header of this name; a list when it came more than once. */
  readonly dpop: string | readonly string[] | undefined
}

/** DPoP proofs that came with a token, and the request they have to be for. */
export interface PresentedProof {
  /** The values of all `DPoP` headers: exactly one is right. */
  readonly proofs: readonly string[]
  readonly method: string
  /** Absolute, as the client sees it; query and fragment do not count. */
  readonly url: string
}

export interface PresentedToken {
  readonly scheme: Scheme
  readonly token: string
  /** `undefined` for a bearer. */
  readonly proof: PresentedProof | undefined
}

const CREDENTIALS = /^(Bearer|DPoP)(?: |$)/i
/** `token68` of RFC 9110 section 11.2, which is no more than one token. */
const PRESENTED = /^(?:Bearer|DPoP) +([\w.~+/-]+=*)$/i

/** Reads the token. Throws `VerifyError`: `token_missing` (401) or `request_invalid` (400). */
export function readAuthorization({ method, url, authorization, dpop }: IncomingRequest): PresentedToken {
  const fields = [authorization ?? []].flat()
  const [field = '', ...others] = fields
  if (others.length > 0) throw new VerifyError('request_invalid', 'The request has two Authorization headers')
  const proofs = [dpop ?? []].flat()
  const [, name] = CREDENTIALS.exec(field) ?? []
  if (name === undefined) throw new VerifyError('token_missing', 'The request has no access token')
  const [, token] = PRESENTED.exec(field) ?? []
  if (token === undefined) throw new VerifyError('request_invalid', 'The Authorization header is malformed')
  if (name.toLowerCase() === 'dpop') return { scheme: 'DPoP', token, proof: { proofs, method, url } }
  // Whoever proves a key believes that its token is bound to one: told, rather than left in that belief.
  if (proofs.length > 0) throw new VerifyError('request_invalid', 'A DPoP proof needs the scheme DPoP')
  return { scheme: 'Bearer', token, proof: undefined }
}
