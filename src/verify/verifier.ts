// Verification of an access token on one screen: header, key, signature, claims, status (RFC 9068 section 4, RFC 8725,
// draft-ietf-oauth-status-list-21 section 8.3). Once keys and list are known it needs no network.

import { readAccessTokenHeader } from './access-token-header.ts'
import type { Presentation } from './challenge.ts'
import { checkClaims, type VerifiedClaims } from './check-claims.ts'
import { resolveOptions, type VerifierOptions } from './options.ts'
import {
  type IncomingRequest,
  type PresentedProof,
  type PresentedToken,
  readAuthorization,
} from './read-authorization.ts'
import { RemoteKeys } from './remote-keys.ts'
import { scheduleTimer } from './schedule.ts'
import { StatusLists } from './status-lists.ts'
import { VerifyError } from './verify-error.ts'
import { verifySignature } from './verify-signature.ts'

export interface Verifier {
  /**
   * Checks an access token, and the proof that came with it; resolves to its claims, frozen, or rejects with
   * `VerifyError`. A token that is bound to a key is refused without a proof.
   */
  verify(token: string, proof?: PresentedProof): Promise<VerifiedClaims>
  /** Checks the access token in the Authorization header of a request, by the scheme Bearer or DPoP. */
  verifyRequest(request: IncomingRequest): Promise<VerifiedClaims>
  /** Ends what goes on in the background; what is known by then stays in use until it is too old. */
  close(): void
}

/**
 * Makes a verifier for the tokens of one issuer; make it once and keep it, for it remembers the issuer's keys.
 * Throws a `TypeError` listing every option that is missing or wrong. Fetches nothing until the first token.
 */
export function createVerifier(options: VerifierOptions): Verifier {
  const settings = { ...resolveOptions(options), schedule: scheduleTimer }
  const { statusList } = settings
  const keys = new RemoteKeys(settings)
  const lists = statusList && new StatusLists({ ...settings, statusList }, keys)
  const takesDpop = settings.dpop !== null

  async function verifyToken(token: string): Promise<VerifiedClaims> {
    const startedAt = settings.now().getTime()
    const header = readAccessTokenHeader(token)
    const key = keys.peek(header, startedAt) ?? (await keys.find(header))
    const payload = await verifySignature(token, header, key)
    const claims = checkClaims(payload, settings, settings.now())
    await checkStatus(claims, startedAt)
    return claims
  }

  /** One verification waits for the issuer as long as one request may take, and not once for each. */
  async function checkStatus({ status }: VerifiedClaims, startedAt: number): Promise<void> {
    if (!lists) return
    if (!status) throw new VerifyError('claim_missing', 'The token has no status claim')
    const nowMs = settings.now().getTime()
    if (lists.tryCheck(status.status_list, nowMs)) return
    await lists.check(status.status_list, Math.max(0, settings.timeoutMs - (nowMs - startedAt)))
  }

  const verify: Verifier['verify'] = async (token, proof) => {
    try {
      return await verifyToken(token)
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
    close() {
      keys.close()
      lists?.close()
    },
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
