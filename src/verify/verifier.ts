// The verifier on one screen: a token is good by itself, its credential still works, and whoever presents it may
// (RFC 9068 section 4, draft-ietf-oauth-status-list-21 section 8.3, RFC 9449 section 7).

import type { Presentation } from './challenge.ts'
import type { VerifiedClaims } from './check-claims.ts'
import { hydrate, takeSnapshot } from './knowledge.ts'
import { resolveOptions, type VerifierOptions } from './options.ts'
import { persistInTurn } from './persist-in-turn.ts'
import { createPossessionCheck } from './possession.ts'
import {
  type IncomingRequest,
  type PresentedProof,
  type PresentedToken,
  readAuthorization,
} from './read-authorization.ts'
import { RemoteKeys } from './remote-keys.ts'
import { scheduleTimer } from './schedule.ts'
import type { Hydration, VerifierSnapshot } from './snapshot.ts'
import { StatusLists } from './status-lists.ts'
import { VerifiedTokens } from './verified-tokens.ts'
import { VerifyError } from './verify-error.ts'

export interface Verifier {
  /**
   * Checks an access token, and the proof that came with it; resolves to its claims, frozen, or rejects with
   * `VerifyError`. A token that is bound to a key is refused without a proof.
   */
  verify(token: string, proof?: PresentedProof): Promise<VerifiedClaims>
  /** Checks the access token in the Authorization header of a request, by the scheme Bearer or DPoP. */
  verifyRequest(request: IncomingRequest): Promise<VerifiedClaims>
  /**
   * Takes what an earlier verifier of this issuer knew, so that this one needs no network to begin with. Tells what of it
   * was fit for use; never rejects, and fetches nothing.
   */
  hydrate(snapshot: unknown): Promise<Hydration>
  /** What is known of the issuer, as JSON for `hydrate`. */
  snapshot(): VerifierSnapshot
  /** Ends what goes on in the background; what is known by then stays in use until it is too old. */
  close(): void
  /** Whether a token that is bound to a key is good here, with a proof (RFC 9449). */
  readonly takesDpop: boolean
}

/**
 * Makes a verifier for the tokens of one issuer; make it once and keep it, for it remembers the issuer's keys.
 * Throws a `TypeError` listing every option that is missing or wrong. Fetches nothing until the first token.
 */
export function createVerifier(options: VerifierOptions): Verifier {
  const resolved = resolveOptions(options)
  const { statusList, persist } = resolved
  const onFetched = persist && persistInTurn(persist, (): VerifierSnapshot => takeSnapshot(knowledge))
  const settings = { ...resolved, schedule: scheduleTimer, onFetched }
  const keys = new RemoteKeys(settings)
  const lists = statusList && new StatusLists({ ...settings, statusList }, keys)
  const knowledge = { issuer: settings.issuer, keys, lists }
  const tokens = new VerifiedTokens(settings, keys)
  const checkPossession = createPossessionCheck(settings)
  const takesDpop = settings.dpop !== null

  async function verifyPresented(token: string, proof?: PresentedProof): Promise<VerifiedClaims> {
    const startedAt = settings.now()
    const claims = await tokens.verify(token, startedAt)
    // Each time: the credential may have been revoked since the token was verified first.
    await lists?.check(claims, startedAt)
    await checkPossession(token, claims, proof)
    return claims
  }

  const verify: Verifier['verify'] = async (token, proof) => {
    try {
      return await verifyPresented(token, proof)
    } catch (error) {
      throw challengeFor(error, { scheme: proof ? 'DPoP' : 'Bearer', takesDpop })
    }
  }

  return {
    verify,
    async verifyRequest(request) {
      const { token, proof } = readRequest(request, takesDpop)
      return verify(token, proof)
    },
    hydrate: (snapshot) => hydrate(knowledge, snapshot),
    snapshot: () => takeSnapshot(knowledge),
    close() {
      keys.close()
      lists?.close()
    },
    takesDpop,
  }
}

function readRequest(request: IncomingRequest, takesDpop: boolean): PresentedToken {
  try {
    return readAuthorization(request)
  } catch (error) {
    throw challengeFor(error, { scheme: 'Bearer', takesDpop })
  }
}

const challengeFor = (error: unknown, presentation: Presentation): unknown =>
  error instanceof VerifyError ? error.presentedBy(presentation) : error
