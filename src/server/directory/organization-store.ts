// The rows of `organizations`. A deleted one is found by nobody, and keeps its slug.

import type { Queryable } from '../db/database.ts'

export interface NewOrganization {
  readonly id: string
  readonly slug: string
  readonly name: string
}

export interface Organization extends NewOrganization {
  readonly createdAt: Date
}

export interface OrganizationFilter {
  /** Null: all. */
  readonly id: string | null
  /** Only organizations made after the one with this id. */
  readonly after: { readonly id: string } | null
  readonly limit: number
}

const COLUMNS = ['id', 'slug', 'name', 'created_at as createdAt'] as const

const selectLiving = (db: Queryable) =>
  db.selectFrom('organizations').select(COLUMNS).where('deleted_at', 'is', null)

/** Organizations, oldest first: by id, which is a UUIDv7. */
export async function listOrganizations(
  db: Queryable,
  { id, after, limit }: OrganizationFilter,
): Promise<Organization[]> {
  return selectLiving(db)
    .$if(id !== null, (query) => query.where('id', '=', id ?? ''))
    .$if(after !== null, (query) => query.where('id', '>', after?.id ?? ''))
    .orderBy('id')
    .limit(limit)
    .execute()
}

export async function findOrganization(db: Queryable, slug: string): Promise<Organization | undefined> {
  return selectLiving(db).where('slug', '=', slug).executeTakeFirst()
}

/** The same, and nobody else changes it, its roles or its members over the API until the transaction ends. */
export async function lockOrganization(
  transaction: Queryable,
  slug: string,
): Promise<Organization | undefined> {
  return selectLiving(transaction).where('slug', '=', slug).forNoKeyUpdate().executeTakeFirst()
}

/** Makes an organization; false when there is, or ever was, one of this slug. */
export async function insertOrganization(
  db: Queryable,
  { id, slug, name }: NewOrganization,
  now: Date,
): Promise<boolean> {
  const row = await db
    .insertInto('organizations')
    .values({ id, slug, name, created_at: now })
    .onConflict((conflict) => conflict.column('slug').doNothing())
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

export async function renameOrganization(db: Queryable, id: string, name: string): Promise<void> {
  await db.updateTable('organizations').set({ name }).where('id', '=', id).execute()
}

/** From here on nothing in it works. */
export async function markOrganizationDeleted(db: Queryable, id: string, now: Date): Promise<void> {
  await db.updateTable('organizations').set({ deleted_at: now }).where('id', '=', id).execute()
}
