// The API describes itself: `/openapi.json` for machines, `/docs` for people. Both are made once, and touch nothing.

import Router from '@koa/router'
import { type ApiDocument, PAGE_POLICY, renderPage } from './docs-page.ts'
import { describeApi } from './openapi.ts'
import { OPERATIONS } from './operations.ts'

const MAX_AGE_SECONDS = 300

/** Text of the OpenAPI document of the API at `issuer`. */
export const renderDocument = (issuer: string): string =>
  JSON.stringify(describeApi(OPERATIONS, issuer), null, 2)

export function createDocumentationRouter(issuer: string): Router {
  const document = renderDocument(issuer)
  // The page shows what is published, not what it was made of.
  const page = renderPage(JSON.parse(document) as ApiDocument)
  const router = new Router({ sensitive: true, strict: true })
  router.get('/openapi.json', (ctx) => {
    ctx.set('Access-Control-Allow-Origin', '*')
    ctx.set('Cache-Control', `public, max-age=${MAX_AGE_SECONDS}`)
    ctx.body = document
    ctx.type = 'application/json'
  })
  router.get('/docs', (ctx) => {
    ctx.set('Content-Security-Policy', PAGE_POLICY)
    ctx.set('Referrer-Policy', 'no-referrer')
    ctx.set('Cache-Control', `public, max-age=${MAX_AGE_SECONDS}`)
    ctx.body = page
    ctx.type = 'html'
  })
  return router
}
