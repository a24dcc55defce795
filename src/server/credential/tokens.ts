// Credentials as the management API handles them: one database and one hasher behind every operation.

import type { Database } from '../db/database.ts'
import type { CredentialHasher } from './hash.ts'
import { type IssueRequest, issueCredential, type RecordChange } from './issue.ts'
import { findMembership, listOrganizationsOf } from './owner-store.ts'
import { type Revocation, revokeCredential } from './revoke.ts'
import type { Standing } from './standing.ts'
import { findStandings } from './standing-store.ts'
import { type Cursor, listCredentialIds } from './store.ts'

export type Tokens = ReturnType<typeof openTokens>

export function openTokens(db: Database, hasher: CredentialHasher) {
  return {
    /** An owner's credentials in one organization, oldest first, after `cursor`. */
    async list(
      ownerId: string,
      organizationId: string,
      limit: number,
      cursor: Cursor | null,
    ): Promise<Standing[]> {
      const ids = await listCredentialIds(db, ownerId, organizationId, limit, cursor)
      const byId = new Map((await findStandings(db, ids)).map((found) => [found.credential.id, found]))
      return ids.flatMap((id) => byId.get(id) ?? [])
    },

    async find(id: string): Promise<Standing | undefined> {
      const [standing] = await findStandings(db, [id])
      return standing
    },

    /** A credential of this owner and of this organization. */
    async findOwned(id: string, ownerId: string, organizationId: string): Promise<Standing | undefined> {
      const [standing] = await findStandings(db, [id])
      const isOwned = standing?.owner?.id === ownerId && standing.organization.id === organizationId
      return isOwned ? standing : undefined
    },

    revoke: (revocation: Revocation, now: Date, record: RecordChange) =>
      revokeCredential(db, revocation, now, record),

    issue: (request: IssueRequest, now: Date, record: RecordChange) =>
      issueCredential(db, hasher, request, now, record),
    organizationsOf: (userId: string) => listOrganizationsOf(db, userId),
    membershipOf: (userId: string, organizationId: string) => findMembership(db, userId, organizationId),
  }
}
