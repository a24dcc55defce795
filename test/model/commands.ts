// Everything that can happen to the credentials of one user, as commands to make sequences of.

import fc from 'fast-check'
import { command, type LifeCommand, onCredential } from './command.ts'
import {
  isAlive,
  isNameTaken,
  listCounted,
  MAX_ACTIVE,
  type Model,
  type ModelCredential,
  type RoleName,
  scopesOf,
  works,
} from './credential-model.ts'
import { requireStatus } from './workplace.ts'

const API_SCOPES = ['datasets:read', 'models:read', 'models:write']

interface Terms {
  readonly name: string
  /** Null: for ever. */
  readonly seconds: number | null
  readonly scopes: readonly string[] | null
}

/** What stands against a new credential; the contract does not say which of several is told. */
function listCreateFaults(model: Model, { name, scopes }: Terms): number[] {
  const held = scopesOf(model, model.role)
  const isFull = listCounted(model).length >= MAX_ACTIVE
  return [
    ...(model.role === null || model.role === undefined ? [404] : []),
    ...(model.isSuspended ? [403] : []),
    ...(scopes?.every((scope) => held.includes(scope)) === false ? [422] : []),
    ...(isNameTaken(model, name, null) || isFull ? [409] : []),
  ]
}

const create = (terms: Terms): LifeCommand =>
  command(`create ${JSON.stringify(terms)}`, async (model, workplace) => {
    const { name, seconds, scopes } = terms
    const faults = listCreateFaults(model, terms)
    const answer = await workplace.manage('POST', `/users/${workplace.userId}/tokens`, {
      name,
      organization: workplace.slug,
      permissions: scopes && [{ audience: workplace.audience, scopes }],
      ...(seconds === null ? { never_expires: true } : { expires_in_seconds: seconds }),
    })
    requireStatus(answer, ...(faults.length > 0 ? faults : [201]))
    if (faults.length > 0) return
    workplace.keep(answer.json['token'])
    model.credentials.push({
      owner: model.user,
      createdAt: model.now,
      expiresAt: seconds === null ? null : model.now + seconds,
      scopes,
      replaces: null,
      name,
      isRevoked: false,
      overlapUntil: null,
    })
  })

/** What keeps a credential from replacing and ending itself: nothing but that it does not work. */
const findSelfFault = (model: Model, credential: ModelCredential): number | null =>
  works(model, credential) ? null : 401

const rename = (pick: number, name: string): LifeCommand =>
  onCredential(`rename to ${name}`, pick, async (model, workplace, credential, index) => {
    const answer = await workplace.callAs(index, 'PATCH', `/tokens/${workplace.idOf(index)}`, { name })
    const isTaken = name !== credential.name && isNameTaken(model, name, credential)
    // A name is not its own business when it was narrowed to other things.
    const isNarrow = credential.scopes !== null
    const fault = findSelfFault(model, credential) ?? (isNarrow ? 403 : isTaken ? 409 : null)
    requireStatus(answer, fault ?? 200)
    if (fault === null) credential.name = name
  })

const rotate = (pick: number, overlap: number): LifeCommand =>
  onCredential(`rotate (${overlap} s)`, pick, async (model, workplace, credential, index) => {
    const path = `/tokens/${workplace.idOf(index)}/rotate`
    const answer = await workplace.callAs(index, 'POST', path, { overlap_seconds: overlap })
    const isSecond =
      credential.overlapUntil !== null ||
      (credential.replaces !== null && isAlive(model, credential.replaces))
    const fault = findSelfFault(model, credential) ?? (isSecond ? 409 : null)
    requireStatus(answer, fault ?? 201)
    if (fault !== null) return
    workplace.keep(answer.json['token'])
    const { createdAt, expiresAt } = credential
    model.credentials.push({
      ...credential,
      createdAt: model.now,
      expiresAt: expiresAt === null ? null : model.now + expiresAt - createdAt,
      replaces: credential,
    })
    credential.overlapUntil = model.now + overlap
  })

const revokeOwn = (pick: number): LifeCommand =>
  onCredential('revoke itself', pick, async (model, workplace, credential, index) => {
    const answer = await workplace.callAs(index, 'DELETE', `/tokens/${workplace.idOf(index)}`)
    const fault = findSelfFault(model, credential)
    requireStatus(answer, fault ?? 204)
    if (fault === null) credential.isRevoked = true
  })

const revokeByAdmin = (pick: number): LifeCommand =>
  onCredential('revoke by an admin', pick, async (_model, workplace, credential, index) => {
    const path = `/organizations/${workplace.slug}/tokens/${workplace.idOf(index)}`
    requireStatus(await workplace.manage('DELETE', path), 204)
    credential.isRevoked = true
  })

const advance = (seconds: number): LifeCommand =>
  command(`${seconds} s pass`, async (model, workplace) => {
    model.now += seconds
    workplace.setTime(model.now)
  })

const become = (status: 'active' | 'suspended'): LifeCommand =>
  command(`the user becomes ${status}`, async (model, workplace) => {
    requireStatus(await workplace.manage('PATCH', `/users/${workplace.userId}`, { status }), 200)
    model.isSuspended = status === 'suspended'
  })

const isRoleThere = (model: Model, role: RoleName): boolean => role !== 'custom' || model.isCustomRoleThere

const giveRole = (role: RoleName): LifeCommand =>
  command(`the user becomes ${role}`, async (model, workplace) => {
    const answer = await workplace.manage('PATCH', `${workplace.members}/${workplace.userId}`, { role })
    if (model.role === undefined) return requireStatus(answer, 404)
    if (!isRoleThere(model, role)) return requireStatus(answer, 400, 404, 422)
    requireStatus(answer, 200)
    model.role = role
  })

const removeMember = (): LifeCommand =>
  command('the user is removed', async (model, workplace) => {
    const answer = await workplace.manage('DELETE', `${workplace.members}/${workplace.userId}`)
    requireStatus(answer, model.role === undefined ? 404 : 204)
    model.role = undefined
  })

const addMember = (role: RoleName): LifeCommand =>
  command(`the user is added as ${role}`, async (model, workplace) => {
    const answer = await workplace.manage('POST', workplace.members, { user_id: workplace.userId, role })
    const faults = [
      ...(model.role === undefined ? [] : [409]),
      ...(isRoleThere(model, role) ? [] : [400, 404, 422]),
    ]
    requireStatus(answer, ...(faults.length > 0 ? faults : [201]))
    if (faults.length === 0) model.role = role
  })

const deleteRole = (): LifeCommand =>
  command('the custom role is deleted', async (model, workplace) => {
    const answer = await workplace.manage('DELETE', `${workplace.roles}/custom`)
    requireStatus(answer, model.isCustomRoleThere ? 204 : 404)
    model.isCustomRoleThere = false
    // A later role of this name is another one.
    if (model.role === 'custom') model.role = null
  })

const defineRole = (scopes: readonly string[]): LifeCommand =>
  command(`the custom role permits ${scopes}`, async (model, workplace) => {
    const permissions = [{ audience: workplace.audience, scopes }]
    if (model.isCustomRoleThere)
      requireStatus(await workplace.manage('PATCH', `${workplace.roles}/custom`, { permissions }), 200)
    else requireStatus(await workplace.makeRole('custom', scopes), 201)
    model.isCustomRoleThere = true
    model.customScopes = [...scopes].sort()
  })

const replaceUser = (): LifeCommand =>
  command(
    'the user is deleted, and there is a new one of the same e-mail address',
    async (model, workplace) => {
      requireStatus(await workplace.manage('DELETE', `/users/${workplace.userId}`), 204)
      await workplace.makeUser()
      for (const credential of model.credentials) credential.isRevoked = true
      model.user += 1
      model.isSuspended = false
      model.role = undefined
    },
  )

const name = fc.constantFrom('laptop', 'ci', 'notebook', 'backup', 'phone')
const pick = fc.nat(11)
const role = fc.constantFrom<RoleName>('analyst', 'engineer', 'member', 'custom', 'custom')
const scopes = fc.subarray(API_SCOPES, { minLength: 1 })
const lifetime = fc.option(fc.constantFrom(60, 299, 300, 301, 1000))
const narrowing = fc.option(scopes, { freq: 2 })
/** Instants at which something ends are met exactly, and missed by a second. */
const passing = fc.constantFrom(1, 59, 60, 61, 299, 300, 1000)

/** The command as often as this among the others. */
const times = (count: number, one: fc.Arbitrary<LifeCommand>): fc.Arbitrary<LifeCommand>[] =>
  Array.from({ length: count }, () => one)

/** Sequences of at most `most` commands. What makes credentials, and gives them back, is likelier than what ends them. */
export const life = (most: number): fc.Arbitrary<Iterable<LifeCommand>> =>
  fc.commands(
    [
      ...times(8, fc.record({ name, seconds: lifetime, scopes: narrowing }).map(create)),
      ...times(
        2,
        fc.tuple(pick, name).map((terms) => rename(...terms)),
      ),
      ...times(
        4,
        fc.tuple(pick, fc.constantFrom(0, 1, 60, 300)).map((terms) => rotate(...terms)),
      ),
      pick.map(revokeOwn),
      pick.map(revokeByAdmin),
      ...times(3, passing.map(advance)),
      ...times(2, fc.constant(become('active'))),
      fc.constant(become('suspended')),
      ...times(2, role.map(giveRole)),
      ...times(2, role.map(addMember)),
      fc.constant(removeMember()),
      ...times(2, fc.constant(deleteRole())),
      scopes.map(defineRole),
      fc.constant(replaceUser()),
    ],
    { maxCommands: most, size: 'max' },
  )
