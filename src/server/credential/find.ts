// Credentials as their owners and admins look them up: standings, so that what is shown is what an exchange would see.

import type { Queryable } from '../db/database.ts'
import { type CredentialFilter, type Cursor, listCredentialIds } from './list-store.ts'
import type { Standing } from './standing.ts'
import { findStandings } from './standing-store.ts'

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
