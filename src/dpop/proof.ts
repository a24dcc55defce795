// A DPoP proof, checked by itself (RFC 9449 section 4.3, checks 1 to 12), by the server and by the library for services
// alike. Whether it was seen before, others say. Knows no HTTP: which method and which URI is passed in, and so is the
// clock. Web APIs alone.

import { base64url, calculateJwkThumbprint, compactVerify, EmbeddedJWK, type JWK } from 'jose'
import { DPOP_ALGORITHMS, DPOP_TYP, type ProofProblem } from '../protocol/dpop.ts'
import { type JsonObject, parseJsonObject } from '../protocol/json-object.ts'
import { fail, ok, type Result } from '../protocol/result.ts'
import { RSA_EXPONENT } from '../protocol/rsa-exponent.ts'
import { normalizeRequestUri } from './request-uri.ts'

/** What a proof has to be for. */
export interface ProvenRequest {
  readonly method: string
  /** As it is known from the configuration, never by the Host header. */
  readonly uri: string
  /** The access token that is presented with it; absent where none is. */
  readonly accessToken?: string
}

/** A proof that holds. */
export interface Proof {
  /** RFC 7638 thumbprint (SHA-256) of the key it is signed with: the claim `jkt`. */
  readonly keyThumbprint: string
  readonly jti: string
  /** Normalized. */
  readonly uri: string
}

export interface ProofTerms {
  /** How long after `iat` a proof is accepted, clocks that differ set aside. */
  readonly maxAgeSeconds: number
  /** Whether a nonce is one of ours that is still accepted; null: none is asked for. */
  readonly acceptsNonce: ((nonce: string, now: Date) => boolean) | null
}

/** By so much the clock of a client may differ from ours, either way. */
export const SKEW_SECONDS = 5

/** How long a proof is remembered: from the earliest to the latest instant at which it is accepted, and as much again for clocks that differ. */
export const keptSeconds = (maxAgeSeconds: number): number => 2 * (maxAgeSeconds + 2 * SKEW_SECONDS)

/** What makes a proof the only one of its kind: a `jti` is unique for its key and URI. */
export const describeProof = ({ keyThumbprint, uri, jti }: Proof): string =>
  JSON.stringify([keyThumbprint, uri, jti])

const MAX_LENGTH = 4096
const MAX_JTI_LENGTH = 256
// jose accepts padding and line breaks inside a signature. A header sent twice has a comma.
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/
/** Members of a private or symmetric JWK (RFC 7518 section 6). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/** Checks the text of the DPoP header at `now`. */
export async function verifyProof(
  text: string,
  request: ProvenRequest,
  terms: ProofTerms,
  now: Date,
): Promise<Result<Proof, ProofProblem>> {
  if (text.length > MAX_LENGTH || !COMPACT.test(text)) return fail('proof_malformed')
  const header = readHeader(text)
  if (!header) return fail('proof_malformed')
  const problem = findHeaderProblem(header)
  if (problem) return fail(problem)
  const signed = await readSigned(text, header)
  if (!signed) return fail('proof_signature_wrong')
  const { payload, keyThumbprint } = signed
  const claims = parseJsonObject(payload)
  if (!claims) return fail('proof_malformed')
  const { jti } = claims
  if (!isShort(jti) || !Number.isFinite(claims['iat'])) return fail('proof_claims_incomplete')
  const uri = normalizeRequestUri(request.uri)
  const wrong = (await findClaimProblem(claims, request, uri)) ?? findAgeProblem(claims, terms, now)
  return wrong || uri === undefined ? fail(wrong ?? 'proof_uri_wrong') : ok({ keyThumbprint, jti, uri })
}

const isShort = (jti: unknown): jti is string =>
  typeof jti === 'string' && jti !== '' && jti.length <= MAX_JTI_LENGTH

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function readHeader(text: string): JsonObject | undefined {
  try {
    return parseJsonObject(base64url.decode(text.slice(0, text.indexOf('.'))))
  } catch {
    return undefined
  }
}

function findHeaderProblem({ typ, alg, jwk, crit }: JsonObject): ProofProblem | undefined {
  // No extension is understood here (RFC 7515 section 4.1.11).
  if (crit !== undefined) return 'proof_malformed'
  if (typ !== DPOP_TYP) return 'proof_type_wrong'
  if (!DPOP_ALGORITHMS.some((one) => one === alg)) return 'proof_algorithm_unsupported'
  return isObject(jwk) && isUsableKey(jwk) ? undefined : 'proof_key_unusable'
}

function isUsableKey(jwk: JsonObject): boolean {
  if (PRIVATE_MEMBERS.some((member) => Object.hasOwn(jwk, member))) return false
  return jwk['kty'] !== 'RSA' || jwk['e'] === RSA_EXPONENT
}

/** What was signed and by whose key; undefined unless the signature is by the key that came with it. */
async function readSigned(
  text: string,
  { jwk }: JsonObject,
): Promise<{ readonly payload: Uint8Array; readonly keyThumbprint: string } | undefined> {
  try {
    const { payload } = await compactVerify(text, EmbeddedJWK, { algorithms: [...DPOP_ALGORITHMS] })
    return { payload, keyThumbprint: await calculateJwkThumbprint(jwk as JWK, 'sha256') }
  } catch {
    // Nothing but the proof is worked on: a key that cannot be one throws many kinds of errors.
    return undefined
  }
}

async function findClaimProblem(
  { htm, htu, ath }: JsonObject,
  { method, accessToken }: ProvenRequest,
  uri: string | undefined,
): Promise<ProofProblem | undefined> {
  if (htm !== method) return 'proof_method_wrong'
  if (typeof htu !== 'string' || normalizeRequestUri(htu) !== uri) return 'proof_uri_wrong'
  return accessToken === undefined || ath === (await hashToken(accessToken)) ? undefined : 'proof_token_wrong'
}

/** The claim `ath` of a proof for this access token. */
const hashToken = async (token: string): Promise<string> =>
  base64url.encode(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))))

/** The nonce comes last: whoever is told to bring one has nothing else to mend. */
function findAgeProblem(
  { iat, nonce }: JsonObject,
  { maxAgeSeconds, acceptsNonce }: ProofTerms,
  now: Date,
): ProofProblem | undefined {
  const ageSeconds = now.getTime() / 1000 - Number(iat)
  if (ageSeconds > maxAgeSeconds + SKEW_SECONDS || ageSeconds < -SKEW_SECONDS) return 'proof_not_fresh'
  if (!acceptsNonce) return undefined
  return typeof nonce === 'string' && acceptsNonce(nonce, now) ? undefined : 'proof_nonce_wrong'
}
