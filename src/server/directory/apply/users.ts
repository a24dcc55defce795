// The `users` section: a user, found by e-mail address, and the whole list of its memberships.

import { sql } from 'kysely'
import { uuidV7 } from '../../../protocol/uuid.ts'
import { requireOrganization } from './organizations.ts'
import { type ApplyRun, type Declared, differingMembers, noteUpdate, withoutDuplicates } from './run.ts'
import type { ApplyFile } from './schema.ts'

type User = ApplyFile['users'][number]

export async function applyUsers(run: ApplyRun, entries: readonly Declared<User>[]): Promise<void> {
  for (const entry of withoutDuplicates(run, 'user', entries, ({ email }) => email.toLowerCase())) {
    const memberships = await resolveMemberships(run, entry)
    if (memberships === null) continue
    const userId = await saveUser(run, entry.value)
    await saveMemberships(run, userId, entry.value.email, memberships)
  }
}

async function saveUser(run: ApplyRun, { email, name, status }: User): Promise<string> {
  const existing = await run.transaction
    .selectFrom('users')
    .select(['id', 'name', 'status'])
    .where(sql`lower(email)`, '=', email.toLowerCase())
    .where('status', '<>', 'deleted')
    .executeTakeFirst()
  if (!existing) {
    const id = uuidV7(run.now)
    await run.transaction
      .insertInto('users')
      .values({ id, email, name, status, created_at: run.now })
      .execute()
    run.changes.push(`created user ${email} (id ${id})`)
    return id
  }
  if (noteUpdate(run, `user ${email}`, differingMembers(existing, { name, status }))) {
    await run.transaction.updateTable('users').set({ name, status }).where('id', '=', existing.id).execute()
  }
  return existing.id
}

interface Membership {
  readonly roleId: string
  /** As declared. */
  readonly organization: string
  readonly role: string
}

/** Memberships by organization id; null after reporting organizations or roles that do not exist. */
async function resolveMemberships(
  run: ApplyRun,
  { value, at }: Declared<User>,
): Promise<Map<string, Membership> | null> {
  const resolved = new Map<string, Membership>()
  const problemsBefore = run.problems.length
  for (const [index, { organization, role }] of value.memberships.entries()) {
    const organizationId = await requireOrganization(
      run,
      organization,
      at('memberships', index, 'organization'),
    )
    if (organizationId === null) continue
    if (resolved.has(organizationId)) {
      run.problems.push(`${at('memberships', index, 'organization')}: ${organization} is declared twice`)
    }
    const roleId = await findRole(run, organizationId, role)
    if (roleId) resolved.set(organizationId, { roleId, organization, role })
    else run.problems.push(`${at('memberships', index, 'role')}: there is no role ${role} in ${organization}`)
  }
  return run.problems.length === problemsBefore ? resolved : null
}

async function findRole(run: ApplyRun, organizationId: string, name: string): Promise<string | undefined> {
  const row = await run.transaction
    .selectFrom('roles')
    .select('id')
    .where('name', '=', name)
    .where((where) =>
      where.or([where('organization_id', '=', organizationId), where('organization_id', 'is', null)]),
    )
    .executeTakeFirst()
  return row?.id
}

async function saveMemberships(
  run: ApplyRun,
  userId: string,
  email: string,
  memberships: ReadonlyMap<string, Membership>,
): Promise<void> {
  const rows = await run.transaction
    .selectFrom('memberships as m')
    .innerJoin('organizations as o', 'o.id', 'm.organization_id')
    .select(['m.organization_id as organizationId', 'm.role_id as roleId', 'o.slug'])
    .where('m.user_id', '=', userId)
    .execute()
  const before = new Map(rows.map(({ organizationId, roleId }) => [organizationId, roleId]))
  for (const { organizationId, slug } of rows.filter((row) => !memberships.has(row.organizationId))) {
    await run.transaction
      .deleteFrom('memberships')
      .where('user_id', '=', userId)
      .where('organization_id', '=', organizationId)
      .execute()
    run.changes.push(`removed ${email} from ${slug}`)
  }
  for (const [organizationId, { roleId, organization, role }] of memberships) {
    if (before.get(organizationId) === roleId) continue
    await run.transaction
      .insertInto('memberships')
      .values({ user_id: userId, organization_id: organizationId, role_id: roleId, created_at: run.now })
      .onConflict((conflict) =>
        conflict.columns(['user_id', 'organization_id']).doUpdateSet({ role_id: roleId }),
      )
      .execute()
    run.changes.push(
      before.has(organizationId)
        ? `changed the role of ${email} in ${organization} to ${role}`
        : `added ${email} to ${organization} as ${role}`,
    )
  }
}
