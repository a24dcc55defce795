// The `users` section: a user, found by e-mail address, and the whole list of its memberships.

import { uuidV7 } from '../../../protocol/uuid.ts'
import { deleteMembership, listMembershipsOf, saveMembership } from '../membership-store.ts'
import { findRoleOf } from '../role-store.ts'
import { insertUser, lockUserByEmail, updateUser } from '../user-store.ts'
import { requireOrganization } from './organizations.ts'
import { type ApplyRun, type Declared, differingMembers, noteUpdate, withoutDuplicates } from './run.ts'
import type { ApplyFile } from './schema.ts'

type User = ApplyFile['users'][number]

export async function applyUsers(run: ApplyRun, entries: readonly Declared<User>[]): Promise<void> {
  for (const entry of withoutDuplicates(run, 'user', entries, ({ email }) => email.toLowerCase())) {
    const memberships = await resolveMemberships(run, entry)
    if (memberships === null) continue
    const userId = await applyUser(run, entry.value)
    await applyMemberships(run, userId, entry.value.email, memberships)
  }
}

async function applyUser(run: ApplyRun, { email, name, status }: User): Promise<string> {
  // Locked until the end: a deletion over the API comes before all this, or ends all of it.
  const existing = await lockUserByEmail(run.transaction, email)
  if (!existing) {
    const id = uuidV7(run.now)
    const user = {
      id,
      email,
      name,
      status: status ?? 'active',
      passwordHash: null,
      createdAt: run.now,
    } as const
    await insertUser(run.transaction, user)
    run.changes.push(`created user ${email} (id ${id})`)
    return id
  }
  // Who was suspended elsewhere stays so: a file that says nothing of the status must not let them in again.
  const declared = { name, ...(status === undefined ? {} : { status }) }
  if (noteUpdate(run, `user ${email}`, differingMembers(existing, declared)))
    await updateUser(run.transaction, existing.id, declared)
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
    const existing = await findRoleOf(run.transaction, organizationId, role)
    if (existing) resolved.set(organizationId, { roleId: existing.id, organization, role })
    else run.problems.push(`${at('memberships', index, 'role')}: there is no role ${role} in ${organization}`)
  }
  return run.problems.length === problemsBefore ? resolved : null
}

async function applyMemberships(
  run: ApplyRun,
  userId: string,
  email: string,
  memberships: ReadonlyMap<string, Membership>,
): Promise<void> {
  const rows = await listMembershipsOf(run.transaction, userId)
  const before = new Map(rows.map(({ organizationId, roleId }) => [organizationId, roleId]))
  for (const { organizationId, organization } of rows.filter((row) => !memberships.has(row.organizationId))) {
    await deleteMembership(run.transaction, userId, organizationId)
    run.changes.push(`removed ${email} from ${organization}`)
  }
  for (const [organizationId, { roleId, organization, role }] of memberships) {
    if (before.get(organizationId) === roleId) continue
    await saveMembership(run.transaction, { userId, organizationId, roleId }, run.now)
    run.changes.push(
      before.has(organizationId)
        ? `changed the role of ${email} in ${organization} to ${role}`
        : `added ${email} to ${organization} as ${role}`,
    )
  }
}
