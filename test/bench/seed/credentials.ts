// Users of the one organization, and PATs of theirs that work: written as rows, because issuing thousands over HTTP
// would take longer than the benchmark. The hashes are the product's own.

import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import type pg from 'pg'
import { generateCredential, type PresentedCredential } from '../../../src/protocol/credential.ts'
import { CredentialHasher } from '../../../src/server/credential/hash.ts'
import { HashQueue } from '../../../src/server/credential/hash-queue.ts'
import { deriveCredentialKeys } from '../../../src/server/credential/mark.ts'
import { ORGANIZATION, ROLE, type Server } from '../stage/server.ts'
import { withClient } from './with-client.ts'

/** As many as a user may have. */
export const PATS_PER_USER = 10
const BATCH = 1000

const INSERT_USERS = `
  with created as (
    insert into users (id, email, name, status, created_at)
    select gen_random_uuid(), 'bench-' || gen_random_uuid() || '@acme.test', 'Bench', 'active', now()
    from generate_series(1, $1)
    returning id
  ), place as (
    select o.id as organization_id, r.id as role_id
    from organizations o join roles r on r.organization_id = o.id
    where o.slug = $2 and r.name = $3
  )
  insert into memberships (user_id, organization_id, role_id, created_at)
  select created.id, place.organization_id, place.role_id, now() from created, place
  returning user_id, organization_id`

const INSERT_CREDENTIALS = `
  insert into credentials (id, kind, organization_id, owner_id, name, secret_hash, created_at)
  select id, 'personal', $2, owner_id, 'bench-' || id, secret_hash, now()
  from unnest($1::text[], $3::uuid[], $4::text[]) as v (id, owner_id, secret_hash)`

/** Makes `count` PATs that nobody has used yet; gives their values. */
export function seedCredentials(server: Server, count: number): Promise<string[]> {
  const { databaseUrl, secretKeys, credentialHash } = server
  const hasher = new CredentialHasher(
    deriveCredentialKeys(secretKeys),
    credentialHash,
    new HashQueue({ atOnce: availableParallelism(), waiting: BATCH, waitMs: 60_000 }),
  )
  return withClient(databaseUrl, async (client) => {
    const values: string[] = []
    while (values.length < count) {
      const size = Math.min(BATCH, count - values.length)
      const fresh = Array.from({ length: size }, () => generateCredential('personal', randomBytes))
      await insertCredentials(client, hasher, fresh)
      values.push(...fresh.map((credential) => credential.reveal()))
    }
    return values
  })
}

async function insertCredentials(
  client: pg.Client,
  hasher: CredentialHasher,
  fresh: readonly PresentedCredential[],
): Promise<void> {
  const hashes = await Promise.all(fresh.map((credential) => hasher.hash(credential)))
  const users = Math.ceil(fresh.length / PATS_PER_USER)
  const { rows } = await client.query<{ user_id: string; organization_id: string }>(INSERT_USERS, [
    users,
    ORGANIZATION,
    ROLE,
  ])
  const owners = fresh.map((_, index) => rows[index % rows.length]?.user_id)
  const ids = fresh.map(({ id }) => id)
  await client.query(INSERT_CREDENTIALS, [ids, rows[0]?.organization_id, owners, hashes])
}
