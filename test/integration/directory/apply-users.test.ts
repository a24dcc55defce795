import { describe, expect } from 'vitest'
import { eraseUser, lockUser, updateUser } from '../../../src/server/directory/user-store.ts'
import { it, type Workbench } from './apply-workbench.ts'

const BASE = `
organizations: [{ slug: acme, name: Acme }]
users:
  - email: jane@acme.test
    name: Jane
    status: active
    memberships: [{ organization: acme, role: member }]
`

const listUsers = ({ db }: Workbench) =>
  db
    .selectFrom('users as u')
    .leftJoin('memberships as m', 'm.user_id', 'u.id')
    .select(['u.id', 'u.status', 'u.name', 'm.role_id as roleId'])
    .orderBy('u.status', 'desc')
    .execute()

/** Waits until a statement waits for a lock. */
async function waitForWaiting(workbench: Workbench): Promise<void> {
  const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
  while ((await workbench.query(waiting)).length === 0)
    await new Promise((resolve) => setTimeout(resolve, 20))
}

describe('a user who is being deleted while a file that names them is applied', () => {
  it('stays deleted, and the file makes somebody new', async ({ workbench }) => {
    await workbench.apply(BASE)
    const [jane] = await listUsers(workbench)
    const id = String(jane?.id)
    const applied = await workbench.db.transaction().execute(async (transaction) => {
      await lockUser(transaction, id)
      const outcome = workbench.apply(BASE.replace('name: Jane', 'name: Jane Doe'))
      await waitForWaiting(workbench)
      await eraseUser(transaction, id)
      return [outcome]
    })
    const [outcome] = await Promise.all(applied)
    expect(outcome).toEqual({
      changes: [
        expect.stringMatching(/^created user jane@acme\.test \(id /),
        'added jane@acme.test to acme as member',
      ],
    })
    const [before, after, ...others] = await listUsers(workbench)
    expect(others).toEqual([])
    expect(before).toEqual({ id, status: 'deleted', name: 'Jane', roleId: null })
    expect(after).toMatchObject({ status: 'active', name: 'Jane Doe', roleId: jane?.roleId })
    expect(after?.id).not.toBe(id)
  })

  it('is deleted after it, memberships that it gave included', async ({ workbench }) => {
    await workbench.apply(BASE)
    const [jane] = await listUsers(workbench)
    const id = String(jane?.id)
    await workbench.db.transaction().execute(async (transaction) => {
      await lockUser(transaction, id)
      await eraseUser(transaction, id)
      await updateUser(transaction, id, { status: 'active', name: 'Back' })
    })
    expect(await listUsers(workbench)).toEqual([{ id, status: 'deleted', name: 'Jane', roleId: null }])
  })
})
