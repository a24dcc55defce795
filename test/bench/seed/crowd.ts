// The rest of the world: users of a thousand organizations with their credentials, among which those that are
// exchanged must be found. Their hashes are invented; nobody knows what they would belong to.

import { PATS_PER_USER } from './credentials.ts'
import { withClient } from './with-client.ts'

const ORGANIZATIONS = 1000

/** Writes `count` credentials and whoever they belong to. Needs a server's built-in roles. */
export async function seedCrowd(url: string, count: number): Promise<void> {
  const users = Math.ceil(count / PATS_PER_USER)
  await withClient(url, async (client) => {
    await client.query(INSERT_ORGANIZATIONS, [ORGANIZATIONS])
    await client.query(INSERT_USERS, [users])
    await client.query(INSERT_MEMBERSHIPS, [users, ORGANIZATIONS])
    await client.query(INSERT_CREDENTIALS, [count, ORGANIZATIONS])
    for (const table of ['organizations', 'users', 'memberships', 'credentials'])
      await client.query(`vacuum (analyze) ${table}`)
  })
}

const INSERT_ORGANIZATIONS = `
  insert into organizations (id, slug, name, created_at)
  select md5('organization ' || n)::uuid, 'crowd-' || n, 'Crowd', now()
  from generate_series(0, $1::bigint - 1) as n`

const INSERT_USERS = `
  insert into users (id, email, name, status, created_at)
  select md5('user ' || n)::uuid, 'user-' || n || '@crowd.test', 'Crowd', 'active', now()
  from generate_series(0, $1::bigint - 1) as n`

const INSERT_MEMBERSHIPS = `
  insert into memberships (user_id, organization_id, role_id, created_at)
  select md5('user ' || n)::uuid, md5('organization ' || n % $2::bigint)::uuid, r.id, now()
  from generate_series(0, $1::bigint - 1) as n, roles r
  where r.organization_id is null and r.name = 'member'`

/** Of the last year; one in five revoked, one in ten never used. */
const INSERT_CREDENTIALS = `
  insert into credentials (id, kind, organization_id, owner_id, name, secret_hash, created_at, last_used_at,
    last_used_ip, recent_use, revoked_at, revoked_by)
  select substr(md5('credential ' || n), 1, 16), 'personal', md5('organization ' || owner % $2::bigint)::uuid,
    md5('user ' || owner)::uuid, 'credential ' || n,
    '$argon2id$v=19$m=1024,p=1,t=1,data=AAAAAAAA$' || left(encode(sha256(n::text::bytea), 'base64'), 22)
      || '$' || left(encode(sha256(('hash ' || n)::bytea), 'base64'), 43),
    created_at, case when n % 10 > 0 then created_at + (now() - created_at) / 2 end,
    case when n % 10 > 0 then '192.0.2.1'::inet end, case when n % 10 > 0 then 1 + (n * 104729) % 5000 else 0 end,
    case when n % 5 = 0 then now() end, case when n % 5 = 0 then md5('user ' || owner)::uuid::text end
  from generate_series(0, $1::bigint - 1) as n,
    lateral (select n / ${PATS_PER_USER} as owner, now() - interval '1 year' * ((n * 7919) % 1000) / 1000 as created_at) o`
