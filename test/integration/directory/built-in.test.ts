import { describe, expect } from 'vitest'
import { ensureBuiltIns } from '../../../src/server/directory/built-in.ts'
import { ISSUER, it, type Workbench } from './apply-workbench.ts'

const ensure = ({ db, now }: Workbench, issuer: string): Promise<void> =>
  db.transaction().execute((transaction) => ensureBuiltIns(transaction, issuer, now))

const findAudience = async ({ db }: Workbench): Promise<string> => {
  const servers = db.selectFrom('resource_servers').select('audience').where('built_in', '=', true)
  return (await servers.executeTakeFirstOrThrow()).audience
}

const setIssuer = ({ db }: Workbench, issuer: string) =>
  db
    .updateTable('resource_servers')
    .set({ audience: `${issuer}/api` })
    .where('built_in', '=', true)
    .execute()

describe('the issuer a database belongs to', () => {
  it.for([
    'https://other.example.test',
    'http://sts.example.test',
    'https://sts.example.test:8443',
    'http://localhost:8693',
  ])('is not taken over by %s', async (issuer, { workbench }) => {
    const before = await workbench.dump()
    await expect(ensure(workbench, issuer)).rejects.toThrow(
      new Error(
        `the database belongs to the issuer ${ISSUER}, this server is ${issuer}; to move it, stop every instance ` +
          `and run: update resource_servers set audience = '${issuer}/api' where built_in`,
      ),
    )
    expect(await workbench.dump()).toBe(before)
  })

  it.for([
    'https://localhost.example.test',
    'https://127.0.0.1.example.test',
    'https://localhost@example.test',
  ])('is a real one also when it looks local: %s', async (issuer, { workbench }) => {
    await setIssuer(workbench, issuer)
    await expect(ensure(workbench, ISSUER)).rejects.toThrow(/^the database belongs to the issuer /)
  })

  it.for([
    'http://localhost',
    'http://localhost:8693',
    'http://127.0.0.1:8693',
    'http://[::1]:8693',
    'https://localhost:8443',
  ])('is followed from a local one, such as %s', async (local, { workbench }) => {
    await setIssuer(workbench, local)
    await ensure(workbench, 'http://localhost:9999')
    expect(await findAudience(workbench)).toBe('http://localhost:9999/api')
    await ensure(workbench, ISSUER)
    expect(await findAudience(workbench)).toBe(`${ISSUER}/api`)
  })
})

describe('what an earlier version left', () => {
  it('is brought up to date, and nothing changes after that', async ({ workbench }) => {
    const { db } = workbench
    const current = await workbench.dump()
    await ensure(workbench, ISSUER)
    expect(await workbench.dump()).toBe(current)

    const { id } = await db.selectFrom('resource_servers').select('id').executeTakeFirstOrThrow()
    await db.updateTable('resource_servers').set({ name: 'Old', access_token_ttl_seconds: 60 }).execute()
    await db.updateTable('resource_scopes').set({ description: 'Old' }).execute()
    await db.deleteFrom('resource_scopes').where('scope', '=', 'audit:read').execute()
    await db
      .insertInto('resource_scopes')
      .values({ resource_server_id: id, scope: 'given-up:read', description: 'Old' })
      .execute()
    await db.updateTable('clients').set({ name: 'Old', grant_types: [] }).execute()
    await db.updateTable('roles').set({ reach: 'organization' }).execute()
    await db
      .updateTable('role_permissions')
      .set({ scopes: ['given-up:read'] })
      .execute()
    await ensure(workbench, ISSUER)
    expect(await workbench.dump()).toBe(current)
  })

  it('is left alone where it is not built in', async ({ workbench }) => {
    await workbench.apply('resource_servers: [{ audience: a, name: A, scopes: { "x:y": Z } }]')
    const before = await workbench.dump()
    await ensure(workbench, ISSUER)
    expect(await workbench.dump()).toBe(before)
  })
})
