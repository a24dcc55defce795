// The management API, one file per noun.

import Router from '@koa/router'
import type { Middleware } from 'koa'
import { readJsonBody } from '../http/guard.ts'
import { authenticate, type CallerDependencies } from './caller.ts'
import { addIssueRoutes, type IssueDependencies } from './issue.ts'
import { addTokenRoutes, type TokenDependencies } from './tokens.ts'
import { addUserRoutes, type ListUsers } from './users.ts'

export interface ApiDependencies extends CallerDependencies, IssueDependencies, TokenDependencies {
  readonly listUsers: ListUsers
}

export function createApiRouter(dependencies: ApiDependencies): Router {
  const router = new Router({ prefix: '/api/v1' })
  router.use(refuseCaches, authenticate(dependencies), readJsonBody)
  addTokenRoutes(router, dependencies)
  addIssueRoutes(router, dependencies)
  addUserRoutes(router, dependencies.listUsers)
  return router
}

/** What the API answers is for its caller, now. */
const refuseCaches: Middleware = (ctx, next) => {
  ctx.set('Cache-Control', 'no-store')
  return next()
}
