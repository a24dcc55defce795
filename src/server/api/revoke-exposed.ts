// Ending credentials by their values: whoever has a value may end it, because whoever else has it may use it.

import { parseJwt } from '../../protocol/presented-jwt.ts'
import { ok, type Result } from '../../protocol/result.ts'
import type { TooManyFailures } from '../credential/attempt-limits.ts'
import type { Recognition, RecognizeCredentials } from '../credential/recognize.ts'
import type { Origin } from '../ledger/change.ts'
import type { ApiDependencies } from './dependencies.ts'
import { type RecordedRevocation, revokeRecorded } from './revoke-recorded.ts'
import type { RevokeToken } from './revoke-token.ts'

export interface ExposedResult {
  /** Null unless the value has the form of a credential. */
  readonly prefix: string | null
  readonly status: 'revoked' | 'already_revoked' | 'unknown' | 'malformed'
}

interface Dependencies extends Pick<ApiDependencies, 'change'> {
  readonly recognizeCredentials: RecognizeCredentials
}

/**
 * Revokes the credentials among `values`, whatever else stands against them; tells of each value, in order. Fails
 * when too many from this address were unknown, and revokes nothing then.
 */
export async function revokeExposed(
  values: readonly string[],
  origin: Origin,
  why: Pick<RecordedRevocation, 'reason' | 'detail'>,
  { recognizeCredentials, change }: Dependencies,
): Promise<Result<ExposedResult[], TooManyFailures>> {
  const recognition = await recognizeCredentials(values, origin.ip)
  if (!recognition.ok) return recognition
  const recognized = recognition.value
  const ids = [...new Set(recognized.flatMap((one) => (one.status === 'known' ? one.id : [])))]
  const revocation = { ...why, by: null, at: origin.at }
  const revoked =
    ids.length === 0
      ? []
      : await change(origin, (changing) => revokeRecorded(changing, { ids }, revocation, ids.length))
  // Each one counts once: a value that is given twice was revoked already the second time.
  const fresh = new Set(revoked.map(({ id }) => id))
  return ok(recognized.map((one) => toResult(one, fresh)))
}

function toResult(recognition: Recognition, fresh: Set<string>): ExposedResult {
  switch (recognition.status) {
    case 'malformed':
      return { prefix: null, status: 'malformed' }
    case 'unknown':
      return { prefix: recognition.prefix, status: 'unknown' }
    case 'known':
      return {
        prefix: recognition.prefix,
        status: fresh.delete(recognition.id) ? 'revoked' : 'already_revoked',
      }
  }
}

/** Builds what `POST /oauth2/revoke` does with a value. Nobody is to be told what became of it. */
export const createBurn =
  (dependencies: Dependencies & { readonly revokeToken: RevokeToken }) =>
  async (value: string, origin: Origin): Promise<Result<unknown, TooManyFailures>> => {
    const token = parseJwt(value)
    if (token) return ok(await dependencies.revokeToken(token, origin))
    const why = { reason: 'burnt_by_holder', detail: { via: 'oauth2/revoke' } }
    return revokeExposed([value], origin, why, dependencies)
  }
