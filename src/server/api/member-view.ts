// A member of an organization as JSON.

import { z } from 'zod'
import type { Member } from '../directory/membership-store.ts'
import { displayName, slug } from '../directory/schema.ts'
import { instant, uuid } from './schema.ts'

export const memberView = z
  .strictObject({
    user_id: uuid.describe('The token claim `sub`'),
    email: z.string(),
    name: displayName,
    status: z.enum(['active', 'suspended']).describe('Of the user, in every organization'),
    role: slug.nullable().describe('Null after the role was deleted: a member without rights'),
    created_at: instant.describe('When they became a member'),
  })
  .meta({ id: 'Member' })

type MemberView = z.output<typeof memberView>

export const viewMember = ({ userId, email, name, status, role, createdAt }: Member): MemberView => ({
  user_id: userId,
  email,
  name,
  status,
  role,
  created_at: createdAt.toISOString(),
})

/** The membership as it is now: being removed and added again makes another. */
export const versionOfMember = ({ user_id, role, created_at }: MemberView) => ({ user_id, role, created_at })
