// Credentials by the thousand, and requests about them: what the tests of bulk revocation work with.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import type { Acme } from '../../support/acme.ts'
import { newDataDir } from '../../support/server-process.ts'

const HASH = '$argon2id$v=19$m=1024,t=1,p=1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA'

/** Makes an organization with a member `<name>@<slug>.test` for each of `members`; gives their ids by name. */
export async function addOrganization(
  { apply, db }: Acme,
  slug: string,
  members: Record<string, string>,
): Promise<Record<string, string>> {
  const file = join(newDataDir(), `${slug}.yaml`)
  const users = Object.entries(members).map(
    ([name, role]) =>
      `  - { email: ${name}@${slug}.test, name: ${name}, memberships: [{ organization: ${slug}, role: ${role} }] }`,
  )
  writeFileSync(file, `organizations: [{ slug: ${slug}, name: ${slug} }]\nusers:\n${users.join('\n')}\n`)
  await apply([file])
  const rows = await db
    .selectFrom('users')
    .select(['id', 'email'])
    .where('email', 'like', `%@${slug}.test`)
    .execute()
  return Object.fromEntries(rows.map(({ id, email }) => [email.split('@')[0] ?? '', id]))
}

/** Inserts PATs nobody has the value of: a second apart from one another, the youngest `ageSeconds` old. */
export async function seedPats(
  { db }: Acme,
  count: number,
  { slug, owner, ageSeconds = 3600 }: { slug: string; owner: string | undefined; ageSeconds?: number },
): Promise<void> {
  await sql`
    insert into credentials (id, kind, organization_id, owner_id, name, secret_hash, created_at)
    select substr(md5(random()::text), 1, 16), 'personal', o.id, ${owner}, 'seeded ' || n, ${HASH},
      date_trunc('milliseconds', now()) - make_interval(secs => ${ageSeconds + count}::int - n)
    from generate_series(1, ${count}::int) n, organizations o where o.slug = ${slug}`.execute(db)
}

/** Makes a credential `seconds` older than it is. */
export const backdate = ({ db }: Acme, pat: string, seconds: number) =>
  sql`update credentials set created_at = created_at - make_interval(secs => ${seconds})
    where id = ${pat.slice(4, 20)}`.execute(db)

/** How many credentials of an organization are revoked, and how many records say so; no credential has two. */
export async function countRevoked({ db }: Acme, slug: string) {
  const { rows } = await sql<{ live: number; revoked: number; records: number; recorded: number }>`
    select count(*) filter (where c.revoked_at is null)::int as live,
      count(*) filter (where c.revoked_at is not null)::int as revoked,
      coalesce(sum(e.records), 0)::int as records, count(e.credential_id)::int as recorded
    from credentials c
    join organizations o on o.id = c.organization_id and o.slug = ${slug}
    left join (
      select credential_id, count(*) as records from audit_events where type = 'credential.revoked' group by 1
    ) e on e.credential_id = c.id`.execute(db)
  return rows[0]
}

interface FamilySeed {
  readonly slug: string
  readonly owner: string | null | undefined
  /** The credential that the first one succeeds. */
  readonly after?: string
}

/**
 * Inserts a family nobody has a value of: each the successor of the one before, a second apart, the last one alive;
 * gives its id.
 */
export async function seedFamily(
  { db }: Acme,
  generations: number,
  { slug, owner, after }: FamilySeed,
): Promise<string> {
  const head = crypto.randomUUID().slice(0, 4)
  const idOf = (n: number): string => head + n.toString(16).padStart(12, '0')
  await sql`
    insert into credentials
      (id, kind, organization_id, owner_id, name, secret_hash, created_at, replaces, overlap_until)
    select ${head} || lpad(to_hex(n), 12, '0'), 'personal', o.id, ${owner}, 'rotated', ${HASH}, made.at,
      case when n > 1 then ${head} || lpad(to_hex(n - 1), 12, '0') else ${after ?? null} end,
      case when n < ${generations}::int then made.at + interval '1 second' end
    from generate_series(1, ${generations}::int) n
    cross join lateral (
      select date_trunc('milliseconds', now()) - make_interval(secs => 3600 + ${generations}::int - n) as at
    ) made
    join organizations o on o.slug = ${slug}
    order by n`.execute(db)
  return idOf(generations)
}
