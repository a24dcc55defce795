// The rows of `organizations`.

import type { Queryable } from '../db/database.ts'

export interface Organization {
  readonly id: string
  readonly slug: string
  readonly name: string
}

/** The organization with this slug, unless deleted. */
export async function findOrganization(db: Queryable, slug: string): Promise<Organization | undefined> {
  return db
    .selectFrom('organizations')
    .select(['id', 'slug', 'name'])
    .where('slug', '=', slug)
    .where('deleted_at', 'is', null)
    .executeTakeFirst()
}

export async function insertOrganization(
  db: Queryable,
  { id, slug, name }: Organization,
  now: Date,
): Promise<void> {
  await db.insertInto('organizations').values({ id, slug, name, created_at: now }).execute()
}

export async function renameOrganization(db: Queryable, id: string, name: string): Promise<void> {
  await db.updateTable('organizations').set({ name }).where('id', '=', id).execute()
}
