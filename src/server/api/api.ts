// The management API over HTTP: a route per operation.

import Router from '@koa/router'
import type { Middleware } from 'koa'
import type { TakePlace } from '../http/in-flight.ts'
import { authenticate, type CallerDependencies } from './caller.ts'
import type { ApiDependencies } from './dependencies.ts'
import { API_PREFIX, type Operation } from './operation.ts'
import { OPERATIONS } from './operations.ts'

interface RouterDependencies extends ApiDependencies, CallerDependencies {
  readonly takePlace: TakePlace
}

export function createApiRouter(dependencies: RouterDependencies): Router {
  const router = new Router({ prefix: API_PREFIX, sensitive: true, strict: true })
  const identify = authenticate(dependencies)
  router.use(refuseCaches)
  for (const operation of OPERATIONS) {
    const receive: Middleware = async (ctx, next) => {
      await operation.receive(ctx, dependencies)
      dependencies.takePlace(ctx)
      await next()
    }
    router.register(
      toRoute(operation),
      [operation.method],
      [
        receive,
        ...(operation.access === 'public' ? [] : [identify]),
        (ctx) => operation.perform(ctx, dependencies),
      ],
    )
  }
  return router
}

/** `/tokens/{id}` as the router writes it. */
const toRoute = ({ path }: Operation): string => path.replaceAll(/\{(\w+)\}/g, ':$1')

/** What the API answers is for its caller, now. */
const refuseCaches: Middleware = (ctx, next) => {
  ctx.set('Cache-Control', 'no-store')
  return next()
}
