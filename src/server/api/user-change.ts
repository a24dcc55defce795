// Changing and deleting a user, with what else that takes: nobody shuts themselves out, and somebody who may change
// everything is left.

import {
  changeUser,
  eraseUser,
  listMembershipsOf,
  lockUser,
  type User,
  type UserChanges,
} from '../directory/user-store.ts'
import { Problem } from '../http/problem.ts'
import type { Change, Origin, Reader } from '../ledger/change.ts'
import type { Caller } from './caller.ts'
import type { ApiDependencies } from './dependencies.ts'
import { keepPlatformAdmin } from './reach.ts'
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
  const { id, caller, body, origin } = call
  if (body.status !== 'suspended') return change(origin, (work) => applyUpdate(call, work))
  requireAnother(caller, id, 'suspends')
  return change(origin, (work) => keepPlatformAdmin(work.transaction, () => applyUpdate(call, work)))
}

async function applyUpdate({ id, body, ifMatch }: UpdateCall, { transaction, record }: Change) {
  const user = await requireUser(transaction, id, ifMatch)
  const before = versionOfUser(viewUser(user))
  const after = mergeChanges(before, body)
  const difference = findDifference(before, after)
  if (difference) {
    const { email, name, status } = after
    if (!(await changeUser(transaction, id, { email, name, status })))
      throw new Problem('name_taken', 'There is a user with this e-mail address')
    recordUpdate(record, id, difference)
  }
  return viewUserDetail({ ...user, ...after }, await listMembershipsOf(transaction, id))
}

type UserVersion = ReturnType<typeof versionOfUser>

/** People's names and addresses have no place in audit records: those say only that they changed. */
function recordUpdate(
  record: Change['record'],
  id: string,
  { before, after }: Difference<UserVersion>,
): void {
  const about = { subject: id, target: `user:${id}` }
  const changed = Object.keys(after).filter((name) => name !== 'status')
  if (changed.length > 0) record({ type: 'user.updated', ...about, detail: { changed } })
  if (!after.status) return
  const type = after.status === 'suspended' ? 'user.suspended' : 'user.restored'
  record({
    type,
    ...about,
    detail: { before: { status: before.status }, after: { status: after.status } },
  })
}

/** Deletes a user and revokes all they own, in one transaction. */
export function deleteUser(call: UserCall, { change }: ApiDependencies): Promise<void> {
  requireAnother(call.caller, call.id, 'deletes')
  return change(call.origin, (work) => keepPlatformAdmin(work.transaction, () => applyDeletion(call, work)))
}

async function applyDeletion({ id, caller, ifMatch, now }: UserCall, work: Change): Promise<void> {
  const { transaction, record } = work
  await requireUser(transaction, id, ifMatch)
  const organizations = (await listMembershipsOf(transaction, id)).map(({ organization }) => organization)
  await eraseUser(transaction, id)
  const revocation = { by: caller.subject, reason: 'owner_deleted', at: now }
  await revokeRecorded(work, { ownerId: id }, revocation, Number.MAX_SAFE_INTEGER)
  record({ type: 'user.deleted', subject: id, target: `user:${id}`, detail: { organizations } })
}

/** The user, locked, in the version the client means; 404 when deleted or unknown. */
async function requireUser(transaction: Reader, id: string, ifMatch: string | null): Promise<User> {
  const user = await lockUser(transaction, id)
  if (!user) throw new Problem('not_found')
  requireVersion(ifMatch, versionOfUser(viewUser(user)))
  return user
}

function requireAnother(caller: Caller, id: string, verb: 'suspends' | 'deletes'): void {
  if (caller.standing.owner?.id === id) throw new Problem('forbidden', `Nobody ${verb} themselves`)
}
