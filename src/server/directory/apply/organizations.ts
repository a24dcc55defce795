// The `organizations` section, and the look-up of organizations other sections name.

import { uuidV7 } from '../../../protocol/uuid.ts'
import { findOrganization, insertOrganization, renameOrganization } from '../organization-store.ts'
import { type ApplyRun, type Declared, differingMembers, noteUpdate, withoutDuplicates } from './run.ts'
import type { ApplyFile } from './schema.ts'

type Organization = ApplyFile['organizations'][number]

export async function applyOrganizations(
  run: ApplyRun,
  entries: readonly Declared<Organization>[],
): Promise<void> {
  for (const { value, at } of withoutDuplicates(run, 'organization', entries, ({ slug }) => slug)) {
    const { slug, name } = value
    if (await insertOrganization(run.transaction, { id: uuidV7(run.now), slug, name }, run.now)) {
      run.changes.push(`created organization ${slug}`)
      continue
    }
    const existing = await findOrganization(run.transaction, slug)
    if (!existing) {
      run.problems.push(`${at('slug')}: organization ${slug} was deleted, and its name stays taken`)
    } else if (noteUpdate(run, `organization ${slug}`, differingMembers(existing, { name }))) {
      await renameOrganization(run.transaction, existing.id, name)
    }
  }
}

/** Id of the organization a declaration names; reports an unknown one. */
export async function requireOrganization(run: ApplyRun, slug: string, at: string): Promise<string | null> {
  const organization = await findOrganization(run.transaction, slug)
  if (!organization) run.problems.push(`${at}: there is no organization ${slug}`)
  return organization?.id ?? null
}
