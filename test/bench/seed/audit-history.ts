// Audit records of exchanges long past, all of them in the month that is being written to: the worst case, because
// every new record then goes into the largest indexes there are.

import { availableParallelism } from 'node:os'
import type pg from 'pg'
import { PATS_PER_USER } from './credentials.ts'
import { withClient } from './with-client.ts'

/** Lets the indexes of a table this size be built without spilling much. */
const BUILD_MEMORY = '512MB'

/**
 * Writes `count` records, of `credentials` credentials. Only on a migrated database that no server has used: its
 * first start would make the month's partition, which is made here, filled, and only then given its indexes.
 */
export async function seedAuditHistory(url: string, count: number, credentials: number): Promise<void> {
  await withClient(url, async (client) => {
    const { rows } = await client.query<{ partition: string; start: string; end: string }>(MONTH)
    const [month] = rows
    if (!month) throw new Error('Postgres did not say what month it is')
    const partition = client.escapeIdentifier(month.partition)
    await client.query(
      `create table ${partition} (like audit_events including defaults including constraints including comments)`,
    )
    await Promise.all(
      cutIntoSlices(count).map(([first, last]) =>
        withClient(url, (writer) =>
          writer.query(`insert into ${partition} ${RECORDS}`, [first, last, count, credentials, month.start]),
        ),
      ),
    )
    await attach(client, partition, month)
    await client.query(`vacuum (analyze) ${partition}`)
  })
}

/** One slice of the records for each core, as numbers from 1. */
function cutIntoSlices(count: number): [first: number, last: number][] {
  const size = Math.ceil(count / availableParallelism())
  return Array.from({ length: Math.ceil(count / size) }, (_, slice) => [
    slice * size + 1,
    Math.min(count, (slice + 1) * size),
  ])
}

async function attach(
  client: pg.Client,
  partition: string,
  month: { start: string; end: string },
): Promise<void> {
  const [start, end] = [client.escapeLiteral(month.start), client.escapeLiteral(month.end)]
  await client.query(`set maintenance_work_mem = '${BUILD_MEMORY}'`)
  await client.query(
    `alter table audit_events attach partition ${partition} for values from (${start}) to (${end})`,
  )
}

const MONTH = `
  select 'audit_events_' || to_char(start, 'YYYY_MM') as partition,
    (start at time zone 'UTC')::text as start, ((start + interval '1 month') at time zone 'UTC')::text as end
  from date_trunc('month', now() at time zone 'UTC') as start`

/** In the order of their time, as they would have come. One in 32 was refused. */
const RECORDS = `
  (id, occurred_at, type, reason, organization_id, subject, credential_id, client_id, audiences, scopes, token_id, ip,
    user_agent, request_id)
  select gen_random_uuid(), $5::timestamptz + (now() - $5::timestamptz) * (n::float8 / $3::bigint),
    case when n % 32 = 0 then 'exchange.refused' else 'exchange.granted' end,
    case when n % 32 = 0 then 'credential_revoked' end,
    md5('organization ' || user_number % 1000)::uuid, md5('user ' || user_number)::uuid::text,
    substr(md5('credential ' || credential_number), 1, 16), 'patmint-cli', array['https://api.example.com'],
    array['models:read'], case when n % 32 = 0 then null else gen_random_uuid()::text end, '192.0.2.1',
    'patmint-cli/1.0', gen_random_uuid()::text
  from generate_series($1::bigint, $2::bigint) as n,
    lateral (select (n * 7919) % $4::bigint as credential_number) c,
    lateral (select credential_number / ${PATS_PER_USER} as user_number) u`
