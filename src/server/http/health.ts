// `/healthz`: the process is alive. `/readyz`: it could answer an exchange now.

import Router from '@koa/router'

export function createHealthRouter(isReady: () => Promise<boolean>): Router {
  const router = new Router({ sensitive: true, strict: true })
  router.get('/healthz', (ctx) => {
    ctx.body = { status: 'ok' }
  })
  router.get('/readyz', async (ctx) => {
    const ready = await isReady()
    ctx.status = ready ? 200 : 503
    ctx.body = { status: ready ? 'ok' : 'unavailable' }
  })
  return router
}
