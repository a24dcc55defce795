// Rows of the ring without keys in them.

import type { SigningAlgorithm } from '../../../../src/protocol/access-token.ts'
import type { SigningKeyRow } from '../../../../src/server/signing/store.ts'

export const NOW = new Date('2026-03-01T12:00:00.000Z')
export const fromNow = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1000)

export const buildRow = (kid: string, activatesAt: Date, alg: SigningAlgorithm = 'ES256'): SigningKeyRow => ({
  kid,
  alg,
  publicJwk: { kid, alg, use: 'sig' },
  privateKeyJwe: `sealed ${kid}`,
  publishedAt: activatesAt,
  activatesAt,
  retiresAt: null,
  goneAt: null,
  withdrawnAt: null,
})
