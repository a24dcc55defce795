// The `organizations` section, and the look-up of organizations other sections name.

import { uuidV7 } from '../../../protocol/uuid.ts'
import { type ApplyRun, type Declared, differingMembers, noteUpdate, withoutDuplicates } from './run.ts'
import type { ApplyFile } from './schema.ts'

type Organization = ApplyFile['organizations'][number]

export async function applyOrganizations(
  run: ApplyRun,
  entries: readonly Declared<Organization>[],
): Promise<void> {
  for (const { value } of withoutDuplicates(run, 'organization', entries, ({ slug }) => slug)) {
    const { slug, name } = value
    const existing = await run.transaction
      .selectFrom('organizations')
      .select(['id', 'name'])
      .where('slug', '=', slug)
      .executeTakeFirst()
    if (!existing) {
      await run.transaction
        .insertInto('organizations')
        .values({ id: uuidV7(run.now), slug, name, created_at: run.now })
        .execute()
      run.changes.push(`created organization ${slug}`)
    } else if (noteUpdate(run, `organization ${slug}`, differingMembers(existing, { name }))) {
      await run.transaction.updateTable('organizations').set({ name }).where('id', '=', existing.id).execute()
    }
  }
}

/** Id of the organization a declaration names; reports an unknown one. */
export async function requireOrganization(run: ApplyRun, slug: string, at: string): Promise<string | null> {
  const row = await run.transaction
    .selectFrom('organizations')
    .select('id')
    .where('slug', '=', slug)
    .executeTakeFirst()
  if (!row) run.problems.push(`${at}: there is no organization ${slug}`)
  return row?.id ?? null
}
