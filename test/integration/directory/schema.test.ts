// What the migrations themselves promise, whoever writes.

import { describe, expect } from 'vitest'
import type { Database } from '../../../src/server/db/database.ts'
import { it, type Workbench } from './apply-workbench.ts'

const ROLES = `
organizations: [{ slug: acme, name: Acme }, { slug: beta, name: Beta }]
roles:
  - { organization: acme, name: analyst, permissions: [] }
  - { organization: beta, name: analyst, permissions: [] }
users: [{ email: jane@acme.test, name: Jane, memberships: [{ organization: acme, role: analyst }] }]
`

async function findIds({ db }: Workbench) {
  const organizations = await db.selectFrom('organizations').select(['id', 'slug']).execute()
  const roles = await db.selectFrom('roles').select(['id', 'organization_id', 'name']).execute()
  const idOf = (slug: string): string => organizations.find((one) => one.slug === slug)?.id ?? ''
  const roleOf = (organizationId: string | null, name: string): string =>
    roles.find((role) => role.organization_id === organizationId && role.name === name)?.id ?? ''
  const [acme, beta] = [idOf('acme'), idOf('beta')]
  return {
    acme,
    beta,
    ofAcme: roleOf(acme, 'analyst'),
    ofBeta: roleOf(beta, 'analyst'),
    builtIn: roleOf(null, 'member'),
  }
}

const insertApiKey = (db: Database, id: string, organizationId: string, roleId: string) =>
  db
    .insertInto('credentials')
    .values({
      id,
      kind: 'organization',
      organization_id: organizationId,
      role_id: roleId,
      name: 'ci',
      secret_hash: 'x',
      created_at: new Date(),
    })
    .execute()

const refusal = (table: string, message: RegExp) => ({
  code: '23503',
  table,
  constraint: `${table}_assignable_role`,
  message: expect.stringMatching(message),
})
const ELSEWHERE = /^role [\w-]{36} is one of another organization than [\w-]{36}$/

describe('a role', () => {
  it('is a member’s only in its own organization, or when it is built in', async ({ workbench }) => {
    await workbench.apply(ROLES)
    const { db } = workbench
    const { beta, ofBeta, builtIn, ofAcme } = await findIds(workbench)
    const setRole = (role_id: string) => db.updateTable('memberships').set({ role_id }).execute()
    await expect(setRole(ofBeta)).rejects.toMatchObject(refusal('memberships', ELSEWHERE))
    await setRole(builtIn)
    await setRole(ofAcme)
    await expect(
      db.updateTable('memberships').set({ organization_id: beta }).execute(),
    ).rejects.toMatchObject(refusal('memberships', ELSEWHERE))
    const { user_id } = await db.selectFrom('memberships').select('user_id').executeTakeFirstOrThrow()
    const joinBeta = (role_id: string) =>
      db
        .insertInto('memberships')
        .values({ user_id, organization_id: beta, role_id, created_at: new Date() })
        .execute()
    await expect(joinBeta(ofAcme)).rejects.toMatchObject(refusal('memberships', ELSEWHERE))
    await joinBeta(ofBeta)
  })

  it('is an API key’s only in its own organization, or when it is built in', async ({ workbench }) => {
    await workbench.apply(ROLES)
    const { db } = workbench
    const { acme, ofAcme, ofBeta, builtIn } = await findIds(workbench)
    await expect(insertApiKey(db, '0000000000000001', acme, ofBeta)).rejects.toMatchObject(
      refusal('credentials', ELSEWHERE),
    )
    await insertApiKey(db, '0000000000000001', acme, ofAcme)
    await insertApiKey(db, '0000000000000002', acme, builtIn)
  })

  it('stays in its organization', async ({ workbench }) => {
    await workbench.apply(ROLES)
    const { acme, beta, ofBeta, builtIn } = await findIds(workbench)
    const move = (role: string, to: string | null) =>
      workbench.query('update roles set organization_id = $2 where id = $1', [role, to])
    for (const [role, to] of [
      [ofBeta, acme],
      [ofBeta, null],
      [builtIn, beta],
    ] as const)
      await expect(move(role, to)).rejects.toMatchObject({
        code: '23001',
        constraint: 'roles_keep_organization',
      })
    await move(ofBeta, beta)
  })
})

describe('the tables', () => {
  it('have a primary key each, which logical replication needs', async ({ workbench }) => {
    const rows = await workbench.query(`
      select c.relname from pg_class c
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
        and not exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary)`)
    expect(rows).toEqual([])
  })

  it('name what their checks check', async ({ workbench }) => {
    const rows = await workbench.query(`
      select conname from pg_constraint where contype = 'c' and conname ~ ('^' || conrelid::regclass || '_check\\d*$')`)
    expect(rows).toEqual([])
  })

  it('hold one policy for the platform and one for each organization', async ({ workbench }) => {
    await workbench.apply(ROLES)
    const { acme } = await findIds(workbench)
    const { db } = workbench
    for (const organization_id of [null, acme]) {
      const insert = () =>
        db
          .insertInto('expiry_policies')
          .values({
            organization_id,
            max_active_tokens: 10,
            applies_to: 'all',
            exempt_roles: [],
            applies_since: new Date(),
          })
          .execute()
      await insert()
      await expect(insert()).rejects.toMatchObject({ constraint: 'expiry_policies_organization_id_key' })
    }
  })
})
