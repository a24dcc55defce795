// The first start on an empty database: organization `default`, its platform admin, and what that admin gets in with.

import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { generateCredential, type PresentedCredential } from '../../protocol/credential.ts'
import { uuidV7 } from '../../protocol/uuid.ts'
import type { CredentialHasher } from '../credential/hash.ts'
import { insertCredential } from '../credential/store.ts'
import type { Database, Queryable } from '../db/database.ts'
import { hashPassword } from '../directory/password.ts'
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
    await sql`select pg_advisory_xact_lock(hashtext('patmint.bootstrap'))`.execute(transaction)
    const present = await transaction.selectFrom('credentials').select('id').limit(1).executeTakeFirst()
    if (present) return false
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
  await transaction
    .insertInto('users')
    .values({
      id: userId,
      email: 'admin@localhost',
      name: 'Platform admin',
      status: 'active',
      password_hash: await hashPassword(password, options.passwordPeppers),
      created_at: now,
    })
    .execute()
  const role = await transaction
    .selectFrom('roles')
    .select('id')
    .where('name', '=', 'platform-admin')
    .where('organization_id', 'is', null)
    .executeTakeFirstOrThrow()
  await transaction
    .insertInto('memberships')
    .values({ user_id: userId, organization_id: organizationId, role_id: role.id, created_at: now })
    .execute()
  await insertCredential(transaction, {
    id: token.id,
    kind: 'personal',
    organizationId,
    ownerId: userId,
    name: 'bootstrap',
    secretHash: await hasher.hash(token),
    permissions: null,
    allowedCidrs: null,
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
  const existing = await transaction
    .selectFrom('organizations')
    .select('id')
    .where('slug', '=', 'default')
    .executeTakeFirst()
  if (existing) return existing.id
  const id = uuidV7(now)
  await transaction
    .insertInto('organizations')
    .values({ id, slug: 'default', name: 'Default', created_at: now })
    .execute()
  return id
}
