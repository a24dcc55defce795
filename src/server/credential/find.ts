// Credentials as their owners and admins look them up: standings, so that what is shown is what an exchange would see.

import type { Queryable } from '../db/database.ts'
import { holderOf, lockHolder } from './holder-store.ts'
import { type CredentialFilter, type Cursor, listCredentialIds } from './list-store.ts'
import type { Standing } from './standing.ts'
import { findStandings } from './standing-store.ts'
import { lockCredential } from './store.ts'

const CREDENTIAL_ID = /^[0-9a-f]{16}$/

/** The credential with this id, if `isVisible`; what no credential can have as id is not looked up. */
export async function findCredential(
  db: Queryable,
  id: string,
  isVisible: (standing: Standing) => boolean,
): Promise<Standing | undefined> {
  if (!CREDENTIAL_ID.test(id)) return undefined
  const [standing] = await findStandings(db, [id])
  return standing && isVisible(standing) ? standing : undefined
}

/** The same, and nobody else renames, rotates or revokes it until the transaction ends. */
export async function holdCredential(
  transaction: Queryable,
  id: string,
  isVisible: (standing: Standing) => boolean,
): Promise<Standing | undefined> {
  const seen = await findCredential(transaction, id, isVisible)
  if (!seen) return undefined
  // Whoever changes several credentials of a holder takes the holder's lock before theirs.
  await lockHolder(transaction, holderOf(seen))
  await lockCredential(transaction, id)
  return findCredential(transaction, id, isVisible)
}

/** Credentials, oldest first, after `cursor`. */
export async function listCredentials(
  db: Queryable,
  filter: CredentialFilter,
  limit: number,
  cursor: Cursor | null,
): Promise<Standing[]> {
  const ids = await listCredentialIds(db, filter, limit, cursor)
  const byId = new Map((await findStandings(db, ids)).map((found) => [found.credential.id, found]))
  return ids.flatMap((id) => byId.get(id) ?? [])
}
