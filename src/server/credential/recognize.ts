// Credentials that turned up where they should not have: which of them are real. Whether a real one still works makes
// no difference here, because whoever found it may end it either way.

import { displayPrefix, type PresentedCredential, parseCredential } from '../../protocol/credential.ts'
import type { CredentialHasher } from './hash.ts'
import type { Standing } from './standing.ts'

export type Recognition =
  | { readonly status: 'malformed' }
  /** Unknown id and wrong secret are one and the same. */
  | { readonly status: 'unknown'; readonly prefix: string }
  | { readonly status: 'known'; readonly prefix: string; readonly id: string }

/** Recognizes values, in their order. What is no credential by its form costs no I/O. */
export type RecognizeCredentials = (values: readonly string[]) => Promise<Recognition[]>

/** Hashes computed at once, out of the four threads that exchanges hash on as well. */
export const HASHES_AT_ONCE = 2

export function createRecognizeCredentials(
  loadStanding: (id: string) => Promise<Standing | undefined>,
  hasher: Pick<CredentialHasher, 'matches'>,
): RecognizeCredentials {
  const recognize = async (
    presented: PresentedCredential,
    standing: Standing | undefined,
  ): Promise<Recognition> => {
    const { kind, id } = presented
    const prefix = displayPrefix(kind, id)
    const isKnown =
      standing?.credential.kind === kind && (await hasher.matches(presented, standing.secretHash))
    return isKnown ? { status: 'known', prefix, id } : { status: 'unknown', prefix }
  }
  return async (values) => {
    const distinct = [...new Set(values)].flatMap((value) => {
      const presented = parseCredential(value)
      return presented ? [{ value, presented }] : []
    })
    const standings = await Promise.all(distinct.map(({ presented }) => loadStanding(presented.id)))
    const found = new Map<string, Recognition>()
    const queue = distinct.entries()
    const work = async (): Promise<void> => {
      for (const [index, { value, presented }] of queue)
        found.set(value, await recognize(presented, standings[index]))
    }
    await Promise.all(Array.from({ length: HASHES_AT_ONCE }, work))
    return values.map((value) => found.get(value) ?? { status: 'malformed' })
  }
}
