// `GET /oauth2/status-lists` and below it (draft-ietf-oauth-status-list-21 sections 8 and 9). Public data, for every page
// to read, and for caches to keep as long as they are told.

import Router from '@koa/router'
import type { Context } from 'koa'
import { STATUS_LIST_MEDIA_TYPE } from '../../protocol/status-list.ts'
import { Problem } from './problem.ts'

/** A Status List Token. */
interface StatusList {
  readonly token: string
  readonly gzipped: Buffer
  readonly maxAgeSeconds: number
}

export interface StatusListSource {
  /** `undefined`: there is no list of this number. */
  readonly find: (list: number) => Promise<StatusList | undefined>
  readonly listUris: () => Promise<readonly string[]>
}

/** A list has one URI: `01` is none of them. */
const LIST_NUMBER = /^(0|[1-9]\d{0,8})$/
/** A list that is new to this document is new to verifiers too: they meet it in a token first. */
const AGGREGATION_MAX_AGE_SECONDS = 60

export function createStatusListRouter(path: string, lists: StatusListSource): Router {
  const router = new Router({ sensitive: true, strict: true })
  router.use(async (ctx, next) => {
    ctx.set('Access-Control-Allow-Origin', '*')
    // What is not there may be in a moment.
    ctx.set('Cache-Control', 'no-store')
    await next()
  })
  router.get(path, async (ctx) => {
    ctx.body = { status_lists: await lists.listUris() }
    ctx.set('Cache-Control', `public, max-age=${AGGREGATION_MAX_AGE_SECONDS}`)
  })
  router.get(`${path}/:list`, async (ctx) => {
    // Section 8.4: no other time than now has a list here.
    if (ctx.query['time'] !== undefined)
      throw new Problem('not_implemented', 'There are no lists of other times')
    const number = ctx.params['list'] ?? ''
    const list = LIST_NUMBER.test(number) ? await lists.find(Number(number)) : undefined
    if (!list) throw new Problem('not_found')
    answerList(ctx, list)
  })
  return router
}

function answerList(ctx: Context, { token, gzipped, maxAgeSeconds }: StatusList): void {
  const isGzipped = ctx.acceptsEncodings('gzip', 'identity') === 'gzip'
  ctx.set('Cache-Control', `public, max-age=${maxAgeSeconds}`)
  ctx.set('Vary', 'Accept-Encoding')
  ctx.set('ETag', tagOf(token, isGzipped))
  ctx.status = 200
  if (ctx.fresh) {
    ctx.status = 304
    return
  }
  if (isGzipped) ctx.set('Content-Encoding', 'gzip')
  ctx.body = isGzipped ? gzipped : token
  ctx.set('Content-Type', STATUS_LIST_MEDIA_TYPE)
}

/** No two lists have one signature. */
const tagOf = (token: string, isGzipped: boolean): string =>
  `"${token.slice(token.lastIndexOf('.') + 1)}${isGzipped ? '-gzip' : ''}"`
