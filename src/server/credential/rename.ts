// Renaming a credential that has not ended. Names are unique among what its holder has alive.

import { fail, ok, type Result } from '../../protocol/result.ts'
import type { Queryable } from '../db/database.ts'
import { holderOf, listLive } from './holder-store.ts'
import { findEnd, type Standing } from './standing.ts'
import { setName } from './store.ts'

export interface RenameRefusal {
  readonly reason: 'not_active' | 'token_name_taken'
}

/**
 * Renames what `holdCredential` gave in the same transaction; tells whether that changed anything. Fails when the
 * credential has ended, or when another live one of its holder has the name.
 */
export async function renameCredential(
  transaction: Queryable,
  standing: Standing,
  name: string,
  now: Date,
): Promise<Result<boolean, RenameRefusal>> {
  const { credential } = standing
  if (findEnd(credential, now)) return fail({ reason: 'not_active' })
  if (credential.name === name) return ok(false)
  const live = await listLive(transaction, holderOf(standing), now)
  if (live.some((other) => other.id !== credential.id && other.name === name))
    return fail({ reason: 'token_name_taken' })
  await setName(transaction, credential.id, name)
  return ok(true)
}
