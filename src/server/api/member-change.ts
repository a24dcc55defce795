// What it takes to change who belongs to an organization: a user within reach, and roles the caller may give and take.

import { findMembership } from '../credential/owner-store.ts'
import { findMember, lockMembership, type Member } from '../directory/membership-store.ts'
import { findRoleOf, type Role } from '../directory/role-store.ts'
import { findUserByEmail, lockUser, type User } from '../directory/user-store.ts'
import { toInvalidRequest } from '../http/guard.ts'
import { Problem } from '../http/problem.ts'
import type { Reader } from '../ledger/change.ts'
import { findBeyond, findEscalation } from './authority.ts'
import type { Caller } from './caller.ts'
import { requireUnexemptName } from './role-definition.ts'

/** The member, as whoever changed them before left them; others wait until the transaction ends. 404 for none. */
export async function holdMember(
  transaction: Reader,
  organizationId: string,
  userId: string,
): Promise<Member> {
  await lockMembership(transaction, organizationId, userId)
  const member = await findMember(transaction, organizationId, userId)
  if (!member) throw new Problem('not_found')
  return member
}

interface Naming {
  readonly user_id?: string | undefined
  readonly email?: string | undefined
}

/**
 * The user a body names, locked so that a deletion comes before or after; 404 for none. An id says something only to
 * callers who may know it: with platform-wide rights, or from the organization itself.
 */
export async function requireCandidate(
  transaction: Reader,
  caller: Caller,
  organizationId: string,
  { user_id, email }: Naming,
): Promise<User> {
  const id = user_id === undefined ? (await findUserByEmail(transaction, email ?? ''))?.id : user_id
  const isKnown =
    email !== undefined ||
    caller.isPlatformWide ||
    (id !== undefined && (await findMember(transaction, organizationId, id)) !== undefined)
  const user = id !== undefined && isKnown ? await lockUser(transaction, id) : undefined
  if (!user) throw new Problem('not_found', 'There is no such user')
  return user
}

/**
 * The role of this name, when the caller may give it to members and keys; 400 for none, 403 for rights beyond the caller's,
 * and for one that the platform exempts from its policy.
 */
export async function requireGrantable(
  transaction: Reader,
  caller: Caller,
  organizationId: string,
  name: string,
  apiAudience: string,
): Promise<Role> {
  const role = await findRoleOf(transaction, organizationId, name)
  if (!role) throw toInvalidRequest([{ path: ['role'], message: `there is no role ${name}` }])
  const beyond = findBeyond(caller, role, apiAudience)
  if (beyond !== null) throw new Problem('forbidden', `The role has rights beyond yours: ${beyond}`)
  await requireUnexemptName(transaction, caller, name)
  return role
}

/** 403 for a member whose present role manages more than the caller: who is above them stays there. */
export async function requireRemovable(
  transaction: Reader,
  caller: Caller,
  organizationId: string,
  userId: string,
  apiAudience: string,
): Promise<void> {
  const role = await findMembership(transaction, userId, organizationId)
  const escalation = role ? findEscalation(caller, role, apiAudience) : null
  if (escalation !== null)
    throw new Problem('forbidden', `The member has management rights beyond yours: ${escalation}`)
}
