// Changing and deleting a user, with what else that takes: nobody shuts themselves out, and somebody who may change
// everything is left. What ends or begins for a user everywhere is recorded in every organization they belong to.

import { listMembershipsOf, lockMembershipsOf, type UserMembership } from '../directory/membership-store.ts'
import { changeUser, eraseUser, lockUser, type User, type UserChanges } from '../directory/user-store.ts'
import { Problem } from '../http/problem.ts'
import type { Change, ChangeEvent, Origin, Transaction } from '../ledger/change.ts'
import type { Caller } from './caller.ts'
import type { ApiDependencies } from './dependencies.ts'
import { keepPlatformAdminAmong } from './reach.ts'
import { revokeRecorded } from './revoke-recorded.ts'
import { type Difference, findDifference, mergeChanges } from './update.ts'
import { versionOfUser, viewUser, viewUserDetail } from './user-view.ts'
import { requireVersion } from './version.ts'

interface UserCall {
  /** Whom it is about. */
  readonly id: string
  readonly caller: Caller
  readonly ifMatch: string | null
  readonly now: Date
  readonly origin: Origin
}

interface UpdateCall extends UserCall {
  readonly body: { readonly [Name in keyof UserChanges]?: UserChanges[Name] | undefined }
}

/** Changes what the body names; gives what the update answers. */
export function updateUser(call: UpdateCall, { change }: ApiDependencies) {
  if (call.body.status === 'suspended') requireAnother(call.caller, call.id, 'suspends')
  return change(call.origin, (work) => applyUpdate(call, work))
}

async function applyUpdate({ id, body, ifMatch }: UpdateCall, { transaction, record }: Change) {
  const { user, memberships } = await holdUser(transaction, id, ifMatch)
  const before = versionOfUser(viewUser(user))
  const after = mergeChanges(before, body)
  const difference = findDifference(before, after)
  if (difference) {
    const { email, name, status } = after
    const write = async () => {
      if (!(await changeUser(transaction, id, { email, name, status })))
        throw new Problem('name_taken', 'There is a user with this e-mail address')
    }
    const losing = difference.after.status === 'suspended' ? memberships : []
    await keepPlatformAdminAmong(transaction, losing, write)
    recordUpdate(record, id, memberships, difference)
  }
  return viewUserDetail({ ...user, ...after }, memberships)
}

type UserVersion = ReturnType<typeof versionOfUser>

/** People's names and addresses have no place in audit records: those say only that they changed. */
function recordUpdate(
  record: Change['record'],
  id: string,
  memberships: readonly UserMembership[],
  { before, after }: Difference<UserVersion>,
): void {
  const changed = Object.keys(after).filter((name) => name !== 'status')
  if (changed.length > 0) record({ type: 'user.updated', ...about(id), detail: { changed } })
  if (!after.status) return
  recordEverywhere(record, memberships, {
    type: after.status === 'suspended' ? 'user.suspended' : 'user.restored',
    ...about(id),
    detail: { before: { status: before.status }, after: { status: after.status } },
  })
}

/** One record for each organization concerned, whose auditors see no other; one of the platform's when there is none. */
function recordEverywhere(
  record: Change['record'],
  memberships: readonly UserMembership[],
  event: ChangeEvent,
): void {
  if (memberships.length === 0) record(event)
  for (const { organizationId } of memberships) record({ ...event, organizationId })
}

const about = (id: string) => ({ subject: id, target: `user:${id}` })

/** Deletes a user and revokes all they own, in one transaction. */
export function deleteUser(call: UserCall, { change }: ApiDependencies): Promise<void> {
  requireAnother(call.caller, call.id, 'deletes')
  return change(call.origin, (work) => applyDeletion(call, work))
}

async function applyDeletion({ id, caller, ifMatch, now }: UserCall, work: Change): Promise<void> {
  const { transaction, record } = work
  const { memberships } = await holdUser(transaction, id, ifMatch)
  const revocation = { by: caller.subject, reason: 'owner_deleted', at: now }
  await revokeRecorded(work, { ownerId: id }, revocation, Number.MAX_SAFE_INTEGER)
  await keepPlatformAdminAmong(transaction, memberships, () => eraseUser(transaction, id))
  recordEverywhere(record, memberships, { type: 'user.deleted', ...about(id) })
}

/** The user and their memberships, locked, in the version the client means; 404 when deleted or unknown. */
async function holdUser(
  transaction: Transaction,
  id: string,
  ifMatch: string | null,
): Promise<{ user: User; memberships: UserMembership[] }> {
  const user = await lockUser(transaction, id)
  if (!user) throw new Problem('not_found')
  requireVersion(ifMatch, versionOfUser(viewUser(user)))
  await lockMembershipsOf(transaction, id)
  return { user, memberships: await listMembershipsOf(transaction, id) }
}

function requireAnother(caller: Caller, id: string, verb: 'suspends' | 'deletes'): void {
  if (caller.standing.owner?.id === id) throw new Problem('forbidden', `Nobody ${verb} themselves`)
}
