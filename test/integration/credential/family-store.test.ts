// What a family of credentials costs whoever asks for its living end, and that an upgrade names those there are.

import { readFile } from 'node:fs/promises'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { listLiveFamily } from '../../../src/server/credential/family-store.ts'
import type { Queryable } from '../../../src/server/db/database.ts'
import { type Acme, API, startAcme } from '../../support/acme.ts'
import { requestExchange } from '../../support/requests.ts'
import { seedFamily } from '../api/bulk-workbench.ts'
import { eventsOf, idOf, rotateItself, rowOf } from '../api/credential-desk.ts'

/** A year of hourly rotations. */
const GENERATIONS = 8760
const HOUR = 3600

let acme: Acme
let first: string
let last: string
beforeAll(async () => {
  acme = await startAcme()
  first = await acme.issue('jane@acme.test', { name: 'hourly' })
  const { owner_id: owner } = await rowOf(acme, idOf(first))
  await acme.db
    .updateTable('credentials')
    .set({ overlap_until: new Date(Date.now() - 1000) })
    .where('id', '=', idOf(first))
    .execute()
  last = await seedFamily(acme, GENERATIONS, { slug: 'acme', owner, after: idOf(first) })
  await sql`analyze credentials`.execute(acme.db)
})
afterAll(() => acme.stop())

/** Rows of `credentials` this connection has read since it last reported, by way of an index or without. */
async function countReads(transaction: Queryable): Promise<number> {
  const { rows } = await sql<{ reads: number }>`
    select seq_tup_read + coalesce(idx_tup_fetch, 0) as reads
    from pg_stat_xact_user_tables where relname = 'credentials'`.execute(transaction)
  return rows[0]?.reads ?? 0
}

describe('the living end of a family', () => {
  it('is found with a look at its last two, however long the family', async () => {
    await acme.db.transaction().execute(async (transaction) => {
      const before = await countReads(transaction)
      expect(await listLiveFamily(transaction, idOf(first), new Date())).toEqual([
        { id: last, reuseDetectedAt: null },
      ])
      expect((await countReads(transaction)) - before).toBeLessThanOrEqual(3)
    })
  })

  it('is flagged when the oldest value of all comes back', async () => {
    await requestExchange(acme.url, { subject_token: first, audience: API })
    expect((await rowOf(acme, last)).reuse_detected_at).not.toBeNull()
    expect(await eventsOf(acme, last, 'credential.reuse_detected')).toMatchObject([
      { detail: { predecessor: idOf(first) } },
    ])
  })
})

describe('the name of a family', () => {
  it('is that of the first generation, also for those from before the upgrade', async () => {
    const one = await acme.issue('jane@acme.test', { name: 'upgraded' })
    const two = await rotateItself(acme, one)
    const three = await rotateItself(acme, two, { overlap_seconds: HOUR })
    const named = async () =>
      Promise.all([one, two, three].map(async (value) => (await rowOf(acme, idOf(value))).family))
    expect(await named()).toEqual([null, idOf(one), idOf(one)])
    await sql`drop function inherit_family cascade`.execute(acme.db)
    await sql`alter table credentials drop column family`.execute(acme.db)
    const upgrade = await readFile('migrations/0012_credential_families.sql', 'utf8')
    await sql.raw(upgrade).execute(acme.db)
    expect(await named()).toEqual([null, idOf(one), idOf(one)])
    const family = await listLiveFamily(acme.db, idOf(one), new Date())
    expect(family.map(({ id }) => id)).toEqual([idOf(three), idOf(two)])
  })
})
