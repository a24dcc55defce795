// DPoP, as the configuration has it: proofs are spent in the table that every instance shares.

import type { Config, SecretKeys } from './config/config.ts'
import type { Database } from './db/database.ts'
import { createProofChecks, type ProofChecks } from './dpop/proof-checks.ts'
import { createArtifactStore } from './provider/artifact-store.ts'
import { deriveKeys } from './secret/secret-keys.ts'

export interface ProofOptions {
  readonly config: Pick<Config, 'dpopProofSeconds' | 'dpopNonce'>
  readonly exchangeDb: Database
  readonly secretKeys: SecretKeys
}

export function composeProofs({ config, exchangeDb, secretKeys }: ProofOptions): ProofChecks {
  const spent = createArtifactStore(exchangeDb, 'DPoPProof')
  return createProofChecks({
    maxAgeSeconds: config.dpopProofSeconds,
    nonceKeys: config.dpopNonce === 'required' ? deriveKeys(secretKeys, 'dpop-nonce') : null,
    noteOnce: (id, seconds) => spent.saveOnce(id, {}, seconds),
  })
}
