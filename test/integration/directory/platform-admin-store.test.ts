import { describe, expect } from 'vitest'
import type { Queryable } from '../../../src/server/db/database.ts'
import { hasPlatformAdmin, lockPlatformAdmins } from '../../../src/server/directory/platform-admin-store.ts'
import { it, type Workbench } from './apply-workbench.ts'

const ADMINS = `
organizations: [{ slug: acme, name: Acme }]
users:
  - { email: ada@acme.test, name: Ada, memberships: [{ organization: acme, role: platform-admin }] }
  - { email: bob@acme.test, name: Bob, memberships: [{ organization: acme, role: platform-admin }] }
  - { email: eve@acme.test, name: Eve, memberships: [{ organization: acme, role: admin }] }
`

const setStatus = (db: Queryable, email: string, status: 'active' | 'suspended' | 'deleted') =>
  db.updateTable('users').set({ status }).where('email', '=', email).execute()

/** Suspends a user as the API does; gives whether an admin was left. */
const suspend = ({ db }: Workbench, email: string): Promise<boolean> =>
  db
    .transaction()
    .execute(async (transaction) => {
      await lockPlatformAdmins(transaction)
      await setStatus(transaction, email, 'suspended')
      const isOneLeft = await hasPlatformAdmin(transaction)
      if (!isOneLeft) throw new Error('nobody left')
      return true
    })
    .catch(() => false)

describe('a platform admin', () => {
  it('is nobody but an active user, whose role in a living organization is the built-in one', async ({
    workbench,
  }) => {
    const { db } = workbench
    expect(await hasPlatformAdmin(db)).toBe(false)
    await workbench.apply(ADMINS)
    expect(await hasPlatformAdmin(db)).toBe(true)
    await setStatus(db, 'bob@acme.test', 'deleted')
    expect(await hasPlatformAdmin(db)).toBe(true)
    await setStatus(db, 'ada@acme.test', 'suspended')
    expect(await hasPlatformAdmin(db)).toBe(false)
    await setStatus(db, 'ada@acme.test', 'active')
    expect(await hasPlatformAdmin(db)).toBe(true)
    await db.updateTable('organizations').set({ deleted_at: new Date() }).execute()
    expect(await hasPlatformAdmin(db)).toBe(false)
  })

  it('is left when two are suspended at once', async ({ workbench }) => {
    await workbench.apply(ADMINS)
    for (let round = 0; round < 10; round += 1) {
      const both = ['ada@acme.test', 'bob@acme.test']
      const done = await Promise.all(both.map((email) => suspend(workbench, email)))
      expect(done.filter(Boolean)).toHaveLength(1)
      for (const email of both) await setStatus(workbench.db, email, 'active')
    }
  })
})
