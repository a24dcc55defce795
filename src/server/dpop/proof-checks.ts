// All that whoever takes requests needs of DPoP: a proof is verified, spent once across all instances, and told a nonce
// where the configuration asks for them.

import { createHash } from 'node:crypto'
import type { ProofProblem } from '../../protocol/dpop.ts'
import type { Result } from '../../protocol/result.ts'
import type { DerivedKeys } from '../secret/secret-keys.ts'
import { createNonces } from './nonce.ts'
import { type Proof, type ProvenRequest, SKEW_SECONDS, verifyProof } from './proof.ts'

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
  // From the earliest to the latest instant at which it is accepted, and as much again for clocks that differ.
  const keptSeconds = 2 * (maxAgeSeconds + 2 * SKEW_SECONDS)
  return {
    verifyProof: (text, request, now) => verifyProof(text, request, terms, now),
    spendProof: (proof) => noteOnce(nameProof(proof), keptSeconds),
    issueNonce: nonces?.issue ?? null,
  }
}

/** A `jti` is unique for its key and URI; what a client chooses is not stored as it is. */
const nameProof = ({ keyThumbprint, uri, jti }: Proof): string =>
  createHash('sha256')
    .update(JSON.stringify([keyThumbprint, uri, jti]))
    .digest('base64url')
