// What was done to the ring in words: for the audit record, and for people.

import type { Turn } from './turn-keys.ts'
import type { Withdrawal } from './withdraw-key.ts'

export const targetOf = ({ kid }: { readonly kid: string }): string => `signing_key:${kid}`

/** The record of a key that was published to take over from another one. */
export const describeTurn = ({ next, replaces }: Turn) => ({
  type: 'signing_key.rotated' as const,
  target: targetOf(next),
  detail: { alg: next.alg, replaces, activates_at: next.activatesAt.toISOString() },
})

export const describeWithdrawal = ({ key, replacement }: Withdrawal) => ({
  type: 'signing_key.withdrawn' as const,
  target: targetOf(key),
  detail: { alg: key.alg, replacement },
})

/** A line for whoever reads the log, or gave the command. */
export const tellTurn = ({ next: { alg, kid, activatesAt }, replaces }: Turn): string =>
  `${alg}: ${kid} is published, and takes over from ${replaces} at ${activatesAt.toISOString()}`

export const tellResealed = (count: number): string =>
  `${count} private ${count === 1 ? 'key' : 'keys'} encrypted anew with the first secret key`
