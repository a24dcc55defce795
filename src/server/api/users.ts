// `/users`: who exists within the caller's reach.

import type Router from '@koa/router'
import type { Context } from 'koa'
import { z } from 'zod'
import type { User, UserFilter } from '../directory/user-store.ts'
import { checkQuery } from '../http/guard.ts'
import { requireCaller } from './caller.ts'
import { decodeCursor, pageQuery, toPage, UUID } from './page.ts'

export type ListUsers = (filter: UserFilter) => Promise<User[]>

/** No e-mail address has a control character, and Postgres takes no text with U+0000. */
const emailText = z
  .string()
  .max(254)
  .regex(/^\P{Cc}*$/u, { error: 'must not hold control characters' })
const userQuery = pageQuery.extend({ email: emailText.optional() })

export function addUserRoutes(router: Router, listUsers: ListUsers): void {
  router.get('/users', (ctx) => answerUsers(ctx, listUsers))
}

async function answerUsers(ctx: Context, listUsers: ListUsers): Promise<void> {
  const caller = requireCaller(ctx, 'users:read')
  const { limit, cursor, email } = checkQuery(ctx, userQuery)
  const organizationId = caller.isPlatformWide ? null : caller.standing.organization.id
  const users = await listUsers({
    organizationId,
    email: email ?? null,
    after: decodeCursor(cursor, UUID),
    limit: limit + 1,
  })
  ctx.body = toPage(
    users,
    limit,
    (user) => user,
    ({ id, email: address, name, status, createdAt }) => ({
      id,
      email: address,
      name,
      status,
      created_at: createdAt.toISOString(),
    }),
  )
}
