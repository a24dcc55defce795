// Which changes wait for each other so that a platform admin is left, and which do not.

import { sql } from 'kysely'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { hasPlatformAdmin, lockPlatformAdmins } from '../../../src/server/directory/platform-admin-store.ts'
import { type Acme, startAcme } from '../../support/acme.ts'
import { DirectoryDesk, refusalOf } from './directory-desk.ts'

let acme: Acme
let desk: DirectoryDesk
beforeAll(async () => {
  acme = await startAcme()
  desk = new DirectoryDesk(acme)
  await desk.admin('POST', '/organizations', { slug: 'beta', name: 'Beta' })
})
afterAll(() => acme.stop())

it('changes of whoever is no platform admin wait for no change of one', async () => {
  const { id } = await desk.addMember('acme', 'plain@acme.test', 'analyst')
  await acme.db.transaction().execute(async (transaction) => {
    await lockPlatformAdmins(transaction)
    await desk.admin('PATCH', `/organizations/acme/members/${id}`, { role: 'engineer' })
    await desk.admin('PATCH', `/users/${id}`, { status: 'suspended' })
    await desk.admin('PATCH', `/users/${id}`, { status: 'active' })
    await desk.admin('DELETE', `/organizations/acme/members/${id}`)
    await desk.admin('DELETE', `/users/${id}`)
  })
})

it('a platform admin who is deleted, suspended, demoted and removed at once is gone, and nothing waits for ever', async () => {
  for (let round = 0; round < 5; round += 1) {
    const { id } = await desk.addMember('acme', `busy-${round}@acme.test`, 'platform-admin')
    await desk.admin('POST', '/organizations/beta/members', { user_id: id, role: 'platform-admin' })
    const ask = (method: string, path: string, body?: unknown) =>
      desk.call(acme.adminToken, method, path, body)
    const [deleted, ...others] = await Promise.all([
      ask('DELETE', `/users/${id}`),
      ask('PATCH', `/organizations/acme/members/${id}`, { role: 'member' }),
      ask('PATCH', `/users/${id}`, { status: 'suspended' }),
      ask('DELETE', `/organizations/beta/members/${id}`),
    ])
    expect(deleted.status).toBe(204)
    for (const { status } of others) expect([200, 204, 404]).toContain(status)
  }
})

it('whoever becomes platform admin meanwhile counts as one', async () => {
  const { id } = await desk.addMember('acme', 'rising@acme.test', 'analyst')
  const key = await desk.issueKey('default', 'platform-admin')
  // While the membership is raised, and that of the other platform admin ends, its holder is to be suspended.
  const suspension = await acme.db.transaction().execute(async (transaction) => {
    const platformAdmin = transaction.selectFrom('roles').select('id').where('name', '=', 'platform-admin')
    await transaction.deleteFrom('memberships').where('role_id', 'in', platformAdmin).execute()
    await transaction
      .updateTable('memberships')
      .set({ role_id: platformAdmin })
      .where('user_id', '=', id)
      .execute()
    const asked = desk.call(key, 'PATCH', `/users/${id}`, { status: 'suspended' })
    await waitForWaiting()
    return [asked]
  })
  expect((await Promise.all(suspension)).map(refusalOf)).toEqual([[409, 'last_platform_admin']])
  expect(await hasPlatformAdmin(acme.db)).toBe(true)
})

/** Waits until a statement of this database waits for a lock. */
async function waitForWaiting(): Promise<void> {
  const waiting = sql`
    select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
  while ((await waiting.execute(acme.db)).rows.length === 0)
    await new Promise((resolve) => setTimeout(resolve, 20))
}
