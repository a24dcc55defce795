// The first start on an empty database: organization `default`, its platform admin, and what that admin gets in with.

import { randomBytes } from 'node:crypto'
import { generateCredential, type PresentedCredential } from '../../protocol/credential.ts'
import { uuidV7 } from '../../protocol/uuid.ts'
import type { CredentialHasher } from '../credential/hash.ts'
import { hasCredentials, insertCredential } from '../credential/store.ts'
import type { Database, Queryable } from '../db/database.ts'
import { lockUntilEnd } from '../db/lock.ts'
import { saveMembership } from '../directory/membership-store.ts'
import { findOrganization, insertOrganization } from '../directory/organization-store.ts'
import { hashPassword } from '../directory/password.ts'
import { findRoleOf } from '../directory/role-store.ts'
import { insertUser } from '../directory/user-store.ts'
import type { DerivedKeys } from '../secret/secret-keys.ts'

const PASSWORD_BYTES = 18

export interface BootstrapOptions {
  /** Undefined: generated. */
  readonly token: PresentedCredential | undefined
  readonly password: string | undefined
  readonly hasher: CredentialHasher
  readonly passwordPeppers: DerivedKeys
  readonly now: Date
  /**
   * Keeps what was generated, before the transaction commits: when it cannot be kept, nobody ever had it and the
   * database stays empty.
   */
  readonly keep: (generated: { token: string | null; password: string | null }) => void
  readonly record: (transaction: Queryable, userId: string, credentialId: string) => Promise<void>
}

/**
 * Bootstraps a database that never held a credential: nobody ever had a way in, also when declarative files were
 * applied first. Gives whether that was so; of instances that start together one does it.
 */
export async function bootstrap(db: Database, options: BootstrapOptions): Promise<boolean> {
  return db.transaction().execute(async (transaction) => {
    await lockUntilEnd(transaction, 'patmint.bootstrap')
    if (await hasCredentials(transaction)) return false
    await createAdmin(transaction, options)
    return true
  })
}

async function createAdmin(transaction: Queryable, options: BootstrapOptions): Promise<void> {
  const { now, hasher } = options
  const token = options.token ?? generateCredential('personal', randomBytes)
  const password = options.password ?? randomBytes(PASSWORD_BYTES).toString('base64url')
  const userId = uuidV7(now)
  const organizationId = await ensureDefaultOrganization(transaction, now)
  await insertUser(transaction, {
    id: userId,
    email: 'admin@localhost',
    name: 'Platform admin',
    status: 'active',
    passwordHash: await hashPassword(password, options.passwordPeppers),
    createdAt: now,
  })
  const role = await findRoleOf(transaction, organizationId, 'platform-admin')
  if (!role) throw new Error('the built-in roles are missing')
  await saveMembership(transaction, { userId, organizationId, roleId: role.id }, now)
  await insertCredential(transaction, {
    id: token.id,
    kind: 'personal',
    organizationId,
    ownerId: userId,
    name: 'bootstrap',
    secretHash: await hasher.hash(token),
    permissions: null,
    allowedCidrs: null,
    mayAct: null,
    issuer: null,
    createdAt: now,
    expiresAt: null,
  })
  await options.record(transaction, userId, token.id)
  options.keep({
    token: options.token ? null : token.reveal(),
    password: options.password === undefined ? password : null,
  })
}

/** Id of organization `default`, which a declarative file may have made already. */
async function ensureDefaultOrganization(transaction: Queryable, now: Date): Promise<string> {
  const existing = await findOrganization(transaction, 'default')
  if (existing) return existing.id
  const id = uuidV7(now)
  await insertOrganization(transaction, { id, slug: 'default', name: 'Default' }, now)
  return id
}
