// Credentials that turned up where they should not have: which of them are real. Whether a real one still works makes
// no difference here, because whoever found it may end it either way.

import { displayPrefix, type PresentedCredential, parseCredential } from '../../protocol/credential.ts'
import { ok, type Result } from '../../protocol/result.ts'
import type { AttemptLimits, TooManyFailures } from './attempt-limits.ts'
import type { CredentialHasher } from './hash.ts'
import type { Standing } from './standing.ts'

export type Recognition =
  | { readonly status: 'malformed' }
  /** Unknown id and wrong secret are one and the same. */
  | { readonly status: 'unknown'; readonly prefix: string }
  | { readonly status: 'known'; readonly prefix: string; readonly id: string }

/**
 * Recognizes values that came from `address`, in their order. What is no credential by its form costs no I/O. What is
 * unknown counts as a failure; fails when there were too many.
 */
export type RecognizeCredentials = (
  values: readonly string[],
  address: string,
) => Promise<Result<Recognition[], TooManyFailures>>

export function createRecognizeCredentials(
  loadStanding: (id: string) => Promise<Standing | undefined>,
  hasher: Pick<CredentialHasher, 'matches'>,
  limits: AttemptLimits,
): RecognizeCredentials {
  const recognize = async (
    presented: PresentedCredential,
    standing: Standing | undefined,
  ): Promise<Exclude<Recognition, { status: 'malformed' }>> => {
    const { kind, id } = presented
    const prefix = displayPrefix(kind, id)
    const secretHash = standing?.credential.kind === kind ? standing.secretHash : undefined
    const isKnown = await hasher.matches(presented, secretHash)
    return isKnown ? { status: 'known', prefix, id } : { status: 'unknown', prefix }
  }
  return async (values, address) => {
    const distinct = [...new Set(values)].flatMap((value) => {
      const presented = parseCredential(value)
      return presented ? [{ value, presented, attempt: { address, clientId: null, presented } }] : []
    })
    for (const { attempt } of distinct) {
      const admitted = await limits.admit(attempt)
      if (!admitted.ok) return admitted
    }
    const standings = await Promise.all(distinct.map(({ presented }) => loadStanding(presented.id)))
    const found = new Map<string, Recognition>()
    // One at a time: a thousand values get no more of the hash threads than one exchange does.
    for (const [index, { value, presented, attempt }] of distinct.entries()) {
      // What this very report failed at counts too.
      const admitted = await limits.admit(attempt)
      if (!admitted.ok) return admitted
      const recognition = await recognize(presented, standings[index])
      found.set(value, recognition)
      if (recognition.status === 'unknown') await limits.noteFailure(attempt)
    }
    return ok(values.map((value) => found.get(value) ?? { status: 'malformed' }))
  }
}
