// Taking a token request in: it is read and admitted before it causes any I/O. What it has to pass are the rules of RFC
// 8693 section 2.1, the limits on failures, and a place among the requests in flight.

import type { Context } from 'koa'
import type { Client, KoaContextWithOIDC } from 'oidc-provider'
import type { Proof } from '../../dpop/proof.ts'
import { PresentedCredential } from '../../protocol/credential.ts'
import { TOKEN_EXCHANGE_GRANT } from '../../protocol/urn.ts'
import type { AttemptLimits } from '../exchange/exchange.ts'
import { type ExchangeRequest, parseExchangeRequest, type TokenParameters } from '../exchange/request.ts'
import { answerOutage, toOAuthError } from './oauth-error.ts'
import { bringsProof, type ProofDependencies, readProof } from './proof.ts'

export interface AdmissionDependencies extends ProofDependencies {
  readonly subjectTokenTypeAliases: readonly string[]
  readonly attemptLimits: AttemptLimits
  /** Takes a place among the requests in flight, or throws. */
  readonly takePlace: (ctx: Context) => void
  /** Begins the look-up of the credential that the exchange will check. */
  readonly beginLookUp: (credential: PresentedCredential) => void
}

/** A form as querystring reads it: what is repeated is an array. */
export type Form = Readonly<Record<string, string | readonly string[] | undefined>>

/** The form parser stops silently at 1000 parameters: what stands behind them must not go unread. */
const MAX_PARAMETERS = 100

/** An exchange request that was taken in, with the proof that came with it. */
interface Received {
  readonly request: ExchangeRequest
  readonly proof: Proof | undefined
}

/** What was read before the client was looked up, for the handler that runs after it authenticated. */
const received = new WeakMap<object, Received>()

/** The exchange request that was taken in. */
export function requestOf(ctx: KoaContextWithOIDC): Received {
  const request = received.get(ctx.oidc)
  if (!request) throw new Error('the exchange request was not read before its client was looked up')
  return request
}

/**
 * Takes a token request in before its first look-up, which is that of its client: nobody has proven anything yet.
 * Throws the OAuth error of one that is malformed or not admitted.
 */
export async function receiveRequest(
  ctx: KoaContextWithOIDC,
  dependencies: AdmissionDependencies,
): Promise<void> {
  const isExchange = ctx.oidc.params?.['grant_type'] === TOKEN_EXCHANGE_GRANT
  const form = (ctx.oidc.body ?? {}) as Form
  const request = isExchange ? readExchangeRequest(form, dependencies) : undefined
  const proof = await answerOutage(() => admitToLookUp(ctx, request, dependencies))
  if (request) received.set(ctx.oidc, { request, proof })
}

/**
 * Admits a request to its first look-up; that of its credential begins with it. Gives the proof that came with an
 * exchange. The signature of that is the one thing that is checked before anything is looked up: it costs no I/O.
 */
export async function admitToLookUp(
  ctx: Context,
  request: ExchangeRequest | undefined,
  dependencies: AdmissionDependencies,
): Promise<Proof | undefined> {
  const { attemptLimits, takePlace, beginLookUp } = dependencies
  await admit(ctx, request, null, attemptLimits)
  takePlace(ctx)
  const proof = request && bringsProof(ctx) ? await readProof(ctx, dependencies) : undefined
  for (const credential of listCredentials(request)) beginLookUp(credential)
  return proof
}

/** Admits it to the check of its credential: a client that authenticated itself answers for what it forwards. */
export const admitToCheck = (
  ctx: KoaContextWithOIDC,
  request: ExchangeRequest,
  client: Client,
  { attemptLimits }: AdmissionDependencies,
): Promise<void> => admit(ctx, request, authenticatedId(client), attemptLimits)

/** Null for a public client, whose id anybody may give. */
export const authenticatedId = ({ clientId, tokenEndpointAuthMethod }: Client): string | null =>
  tokenEndpointAuthMethod === 'none' ? null : clientId

async function admit(
  ctx: Context,
  request: ExchangeRequest | undefined,
  clientId: string | null,
  limits: AttemptLimits,
): Promise<void> {
  const [first = null, ...others] = listCredentials(request)
  for (const presented of [first, ...others]) {
    const admitted = await limits.admit({ address: ctx.ip, clientId, presented })
    if (admitted.ok) continue
    ctx.set('Retry-After', String(admitted.error.retryAfterSeconds))
    throw toOAuthError(admitted.error)
  }
}

/** What is presented with its secret. */
function listCredentials(request: ExchangeRequest | undefined): PresentedCredential[] {
  const presented = request ? [request.subjectToken, request.actorToken] : []
  return presented.filter((one) => one instanceof PresentedCredential)
}

/** Reads an exchange request. Throws the OAuth error of one that is malformed. */
export function readExchangeRequest(
  form: Form,
  { subjectTokenTypeAliases }: AdmissionDependencies,
): ExchangeRequest {
  const parameters = readParameters(form)
  const request = parseExchangeRequest(parameters, subjectTokenTypeAliases)
  if (!request.ok) throw toOAuthError(request.error)
  return request.value
}

/** A parameter without a value counts as absent (RFC 6749 section 3.2). */
function readParameters(form: Form): TokenParameters {
  const parameters: Record<string, Form[string]> = Object.create(null)
  let count = 0
  for (const name of Object.keys(form)) {
    const value = form[name]
    count += Array.isArray(value) ? value.length : 1
    if (value !== '') parameters[name] = value
  }
  if (count > MAX_PARAMETERS) throw toOAuthError({ reason: 'parameters_too_many' })
  return parameters
}
