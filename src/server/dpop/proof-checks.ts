// All that whoever takes requests needs of DPoP: a proof is verified, spent once across all instances, and told a nonce
// where the configuration asks for them.

import { createHash } from 'node:crypto'
import { describeProof, keptSeconds, type Proof, type ProvenRequest, verifyProof } from '../../dpop/proof.ts'
import type { ProofProblem } from '../../protocol/dpop.ts'
import type { Result } from '../../protocol/result.ts'
import type { DerivedKeys } from '../secret/secret-keys.ts'
import { createNonces } from './nonce.ts'

export interface ProofChecks {
  readonly verifyProof: (
    text: string,
    request: ProvenRequest,
    now: Date,
  ) => Promise<Result<Proof, ProofProblem>>
  /** False for a proof that was spent before, on whichever instance. Rejects when the database is away. */
  readonly spendProof: (proof: Proof) => Promise<boolean>
  /** The nonce for the next proof; null: none is asked for. */
  readonly issueNonce: ((now: Date) => string) | null
}

export interface ProofCheckOptions {
  readonly maxAgeSeconds: number
  /** What nonces are made with; null: none are asked for. */
  readonly nonceKeys: DerivedKeys | null
  /** Notes an id for so long; false when it is noted already. */
  readonly noteOnce: (id: string, seconds: number) => Promise<boolean>
}

export function createProofChecks({ maxAgeSeconds, nonceKeys, noteOnce }: ProofCheckOptions): ProofChecks {
  const nonces = nonceKeys && createNonces(nonceKeys)
  const terms = { maxAgeSeconds, acceptsNonce: nonces?.accepts ?? null }
  return {
    verifyProof: (text, request, now) => verifyProof(text, request, terms, now),
    spendProof: (proof) => noteOnce(nameProof(proof), keptSeconds(maxAgeSeconds)),
    issueNonce: nonces?.issue ?? null,
  }
}

/** What a client chooses is not stored as it is. */
const nameProof = (proof: Proof): string =>
  createHash('sha256').update(describeProof(proof)).digest('base64url')
