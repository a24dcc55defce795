// Whether whoever presents a token holds the key it is bound to: RFC 9449 sections 4.3 and 7.1. A token that is bound to
// a key is never accepted from a bearer, nor a proof for one that is bound to none.

import { describeProof, keptSeconds, type Proof, verifyProof } from '../dpop/proof.ts'
import type { VerifiedClaims } from './check-claims.ts'
import { digest } from './digest.ts'
import type { DpopSettings } from './options.ts'
import type { PresentedProof } from './read-authorization.ts'
import { type Schedule, settleWithin } from './schedule.ts'
import { SpentProofs } from './spent-proofs.ts'
import { VerifyError } from './verify-error.ts'

export interface PossessionSettings {
  readonly dpop: DpopSettings | null
  readonly now: () => Date
  /** Longest a memory that is not this process's own may take. */
  readonly timeoutMs: number
  readonly schedule: Schedule
}

type NoteOnce = NonNullable<DpopSettings['noteOnce']>

/** Checks how a token that is good by itself is presented. Throws `VerifyError`. */
export type PossessionCheck = (
  token: string,
  claims: VerifiedClaims,
  proof: PresentedProof | undefined,
) => void | Promise<void>

export function createPossessionCheck(settings: PossessionSettings): PossessionCheck {
  const { dpop, now } = settings
  if (!dpop) return refuseBound
  const noteOnce = createMemory(dpop, settings)
  const terms = { maxAgeSeconds: dpop.proofSeconds, acceptsNonce: null }

  async function check(token: string, jkt: string, presented: PresentedProof): Promise<void> {
    const [text, ...others] = presented.proofs
    if (text === undefined) throw new VerifyError('proof_missing', 'The token needs a proof of its key')
    if (others.length > 0) throw new VerifyError('proof_invalid', 'The request has two DPoP headers')
    const request = { method: presented.method, uri: presented.url, accessToken: token }
    const proof = await verifyProof(text, request, terms, now())
    if (!proof.ok) {
      throw new VerifyError('proof_invalid', 'The DPoP proof is not valid', { cause: new Error(proof.error) })
    }
    if (proof.value.keyThumbprint !== jkt) throw notBound()
    await spend(proof.value)
  }

  /** Last of all: a proof that is refused for another reason is not used up. */
  async function spend(proof: Proof): Promise<void> {
    const isNew = await noteOnce(await digest(describeProof(proof)), keptSeconds(terms.maxAgeSeconds))
    if (!isNew) throw new VerifyError('proof_invalid', 'The DPoP proof was used before')
  }

  return (token, { cnf }, presented) => {
    if (!cnf && !presented) return undefined
    if (!cnf) throw notBound()
    if (!presented) throw new VerifyError('proof_missing', 'The token needs a proof of its key')
    return check(token, cnf.jkt, presented)
  }
}

function createMemory(dpop: DpopSettings, { now, timeoutMs, schedule }: PossessionSettings): NoteOnce {
  const shared = dpop.noteOnce
  if (shared)
    return (id, seconds) => askShared(async () => Boolean(await shared(id, seconds)), schedule, timeoutMs)
  const spent = new SpentProofs(dpop.rememberedProofs, now)
  return (id, seconds) => spent.noteOnce(id, seconds)
}

/** A store that is away says nothing about the proof. */
async function askShared(
  ask: () => Promise<boolean>,
  schedule: Schedule,
  timeoutMs: number,
): Promise<boolean> {
  let failure: unknown = new Error('dpop.noteOnce took too long')
  const isNew = await settleWithin(ask(), schedule, timeoutMs).catch((error: unknown) => {
    failure = error
    return undefined
  })
  if (isNew !== undefined) return isNew
  throw new VerifyError('replay_memory_unavailable', 'It cannot be told whether the proof was used before', {
    cause: failure,
  })
}

/** Of a verifier that takes no proofs. */
const refuseBound: PossessionCheck = (_token, { cnf }, proof) => {
  if (cnf || proof)
    throw new VerifyError('binding_unsupported', 'Tokens that are bound to a key are not accepted')
}

const notBound = (): VerifyError =>
  new VerifyError('binding_mismatch', 'The token is not bound to the key of the proof')
