import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, API, startAcme } from '../../support/acme.ts'
import { requestExchange } from '../../support/requests.ts'

let acme: Acme
beforeAll(async () => {
  acme = await startAcme()
})
afterAll(() => acme.stop())

const REFUSED = { error: 'invalid_request', error_description: 'subject_token is not valid' }
const exchange = () => requestExchange(acme.url, { subject_token: acme.janePat, audience: API })

async function lastReason(): Promise<string | null> {
  const { reason } = await acme.db
    .selectFrom('audit_events')
    .select('reason')
    .where('type', '=', 'exchange.refused')
    .orderBy('occurred_at', 'desc')
    .executeTakeFirstOrThrow()
  return reason
}

const jane = () =>
  acme.db.selectFrom('users').select('id').where('email', '=', 'jane@acme.test').executeTakeFirstOrThrow()

describe('what the database says now binds at the next exchange', () => {
  it('refuses a suspended user and takes them back', async () => {
    const { id } = await jane()
    expect((await exchange()).status).toBe(200)
    await acme.db.updateTable('users').set({ status: 'suspended' }).where('id', '=', id).execute()
    expect((await exchange()).json).toEqual(REFUSED)
    expect(await lastReason()).toBe('owner_suspended')
    await acme.db.updateTable('users').set({ status: 'active' }).where('id', '=', id).execute()
    expect((await exchange()).status).toBe(200)
  })

  it('ends a credential with its overlap, and no token outlives it', async () => {
    const own = acme.db.updateTable('credentials').where('id', '=', acme.janePat.slice(4, 20))
    await own.set({ overlap_until: new Date(Date.now() + 20_000) }).execute()
    const { json } = await exchange()
    expect(json['expires_in']).toBeLessThanOrEqual(20)
    expect(json['subject_token_expires_in']).toBe(json['expires_in'])
    await own.set({ overlap_until: new Date(Date.now() - 1000) }).execute()
    expect((await exchange()).json).toEqual(REFUSED)
    expect(await lastReason()).toBe('credential_superseded')
    await own.set({ overlap_until: null }).execute()
  })

  it('follows a demotion and a promotion', async () => {
    const role = (scopes: string[]) =>
      acme.db
        .updateTable('role_permissions')
        .set({ scopes })
        .where('role_id', 'in', acme.db.selectFrom('roles').select('id').where('name', '=', 'analyst'))
        .execute()
    await role(['datasets:read'])
    expect((await exchange()).json['scope']).toBe('datasets:read')
    await role(['*:*'])
    expect((await exchange()).json['scope']).toBe('datasets:read models:read models:write')
  })

  it('refuses a former member and takes them back', async () => {
    const { id } = await jane()
    const membership = await acme.db
      .deleteFrom('memberships')
      .where('user_id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow()
    expect((await exchange()).json).toEqual(REFUSED)
    expect(await lastReason()).toBe('membership_missing')
    await acme.db.insertInto('memberships').values(membership).execute()
    expect((await exchange()).status).toBe(200)
  })

  it('refuses a changed secret although the old one was remembered as right', async () => {
    expect((await exchange()).status).toBe(200)
    const others = await acme.db
      .selectFrom('credentials')
      .select('secret_hash')
      .where('id', '<>', acme.janePat.slice(4, 20))
      .executeTakeFirstOrThrow()
    const own = acme.db.updateTable('credentials').where('id', '=', acme.janePat.slice(4, 20))
    const { secret_hash: before } = await acme.db
      .selectFrom('credentials')
      .select('secret_hash')
      .where('id', '=', acme.janePat.slice(4, 20))
      .executeTakeFirstOrThrow()
    await own.set(others).execute()
    expect((await exchange()).json).toEqual(REFUSED)
    expect(await lastReason()).toBe('secret_mismatch')
    await own.set({ secret_hash: before }).execute()
  })

  it('notes the use of a credential, at most once a minute', async () => {
    const lastUsed = () =>
      acme.db
        .selectFrom('credentials')
        .select('last_used_at')
        .where('id', '=', acme.samPat.slice(4, 20))
        .executeTakeFirstOrThrow()
    const use = () => requestExchange(acme.url, { subject_token: acme.samPat, audience: API })
    expect((await lastUsed()).last_used_at).toBeNull()
    await use()
    const first = (await lastUsed()).last_used_at
    await use()
    expect((await lastUsed()).last_used_at).toEqual(first)
    const later = new Date((first?.getTime() ?? 0) + 61_000)
    acme.setClock(() => later)
    await use()
    expect((await lastUsed()).last_used_at).toEqual(later)
    acme.setClock(() => new Date())
  })

  it('refuses what a tightened policy blocks and gives it back when loosened', async () => {
    const policy = (seconds: number | null) =>
      acme.db
        .updateTable('expiry_policies')
        .set({ max_lifetime_seconds: seconds })
        .where('organization_id', 'is not', null)
        .execute()
    await policy(60)
    expect((await exchange()).json['expires_in']).toBeLessThanOrEqual(60)
    acme.setClock(() => new Date(Date.now() + 61_000))
    expect((await exchange()).json).toEqual(REFUSED)
    expect(await lastReason()).toBe('blocked_by_policy')
    await policy(null)
    expect((await exchange()).status).toBe(200)
    acme.setClock(() => new Date())
  })
})
