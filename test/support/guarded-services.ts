// The same small service in each framework the library has middleware for, listening on a port of its own.
// `GET /orders` takes a good token, `GET /orders/:id` one that holds `orders/<id>:read`; both answer what the handler
// found. What a guard throws on is kept, and answered with 500 by the framework's own way of handling errors.

import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import Router, { type RouterContext } from '@koa/router'
import express from 'express'
import fastify, { type FastifyRequest } from 'fastify'
import { type Context, Hono } from 'hono'
import Koa from 'koa'
import * as forExpress from '../../src/verify/express.ts'
import * as forFastify from '../../src/verify/fastify.ts'
import * as forFetch from '../../src/verify/fetch.ts'
import type { GuardOptions } from '../../src/verify/guard-options.ts'
import * as forHono from '../../src/verify/hono.ts'
import type { VerifiedClaims } from '../../src/verify/index.ts'
import * as forKoa from '../../src/verify/koa.ts'

/** Options of the guards but for the scope, which each route has its own. */
export interface ServiceOptions extends Omit<GuardOptions<unknown>, 'scope' | 'publicUrl'> {
  readonly publicUrl?: string
}

export interface GuardedService extends AsyncDisposable {
  readonly url: string
  /** What reached the framework's error handling. */
  readonly faults: readonly unknown[]
}

const answerOf = ({ sub, scope }: VerifiedClaims) => ({ sub, scope })
const scopeFor = (id: unknown): string => {
  if (id === 'broken') throw new Error('the database is away')
  return `orders/${id}:read`
}
const FAULT = { error: 'handled by the service' }

type Handle = (options: ServiceOptions, faults: unknown[]) => RequestListener | Promise<RequestListener>

const koa: Handle = (options, faults) => {
  const { requireToken } = forKoa
  const app = new Koa()
  app.use(async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      faults.push(error)
      ctx.status = 500
      ctx.body = FAULT
    }
  })
  const router = new Router<forKoa.AuthState>()
  router.get('/orders', requireToken(options), (ctx) => {
    ctx.body = answerOf(ctx.state.auth)
  })
  router.get(
    '/orders/:id',
    requireToken({ ...options, scope: ({ params }: RouterContext) => scopeFor(params['id']) }),
    (ctx) => {
      ctx.body = answerOf(ctx.state.auth)
    },
  )
  return app.use(router.routes()).callback()
}

const onExpress =
  (create: typeof express): Handle =>
  (options, faults) => {
    const { readClaims, requireToken } = forExpress
    const app = create()
    // Mounted, so that `req.url` has lost what the client sees.
    const orders = create.Router()
    orders.get('/', requireToken(options), (req, res) => {
      res.json(answerOf(readClaims(req)))
    })
    orders.get(
      '/:id',
      requireToken({ ...options, scope: ({ params }: express.Request) => scopeFor(params['id']) }),
      (req, res) => {
        res.json(answerOf(readClaims(req)))
      },
    )
    app.use('/orders', orders)
    const handleFault: express.ErrorRequestHandler = (error, _req, res, _next) => {
      faults.push(error)
      res.status(500).json(FAULT)
    }
    app.use(handleFault)
    return app
  }

const load = createRequire(import.meta.url)
// It has no types of its own here: what the middleware needs of both is the same.
const express4 = load('express-4') as typeof express
// Its types ask for those of a browser.
const { getRequestListener } = load('@hono/node-server') as {
  readonly getRequestListener: (
    fetch: (request: Request) => Response | Promise<Response>,
    options: { readonly overrideGlobalObjects: boolean },
  ) => RequestListener
}

const onFastify: Handle = async (options, faults) => {
  const { readClaims, requireToken } = forFastify
  const app = fastify()
  app.setErrorHandler((error, _request, reply) => {
    faults.push(error)
    reply.code(500).send(FAULT)
  })
  app.get('/orders', { onRequest: requireToken(options) }, async (request) => answerOf(readClaims(request)))
  app.get<{ Params: { id: string } }>(
    '/orders/:id',
    {
      onRequest: requireToken({
        ...options,
        scope: ({ params }: FastifyRequest<{ Params: { id: string } }>) => scopeFor(params.id),
      }),
    },
    async (request) => answerOf(readClaims(request)),
  )
  await app.ready()
  return (request, response) => app.routing(request, response)
}

const onFetch: Handle = (options, faults) => {
  const { requireToken } = forFetch
  const list = requireToken(options, (_request: Request, claims) => Response.json(answerOf(claims)))
  const scope = ({ url }: Request): string => scopeFor(decodeURIComponent(new URL(url).pathname.slice(8)))
  const read = requireToken({ ...options, scope }, (_request: Request, claims) =>
    Response.json(answerOf(claims)),
  )
  return getRequestListener(
    async (request) => {
      try {
        return await (new URL(request.url).pathname === '/orders' ? list : read)(request)
      } catch (error) {
        faults.push(error)
        return Response.json(FAULT, { status: 500 })
      }
    },
    { overrideGlobalObjects: false },
  )
}

const onHono: Handle = (options, faults) => {
  const { requireToken } = forHono
  const app = new Hono<{ Variables: forHono.AuthVariables }>()
  app.onError((error, c) => {
    faults.push(error)
    return c.json(FAULT, 500)
  })
  app.get('/orders', requireToken(options), (c) => c.json(answerOf(c.var.auth)))
  app.get(
    '/orders/:id',
    requireToken({ ...options, scope: (c: Context) => scopeFor(c.req.param('id')) }),
    (c) => c.json(answerOf(c.var.auth)),
  )
  return getRequestListener(app.fetch, { overrideGlobalObjects: false })
}

const HANDLES = {
  koa,
  'express 5': onExpress(express),
  'express 4': onExpress(express4),
  fastify: onFastify,
  fetch: onFetch,
  hono: onHono,
} satisfies Record<string, Handle>

export type Framework = keyof typeof HANDLES
export const FRAMEWORKS = Object.keys(HANDLES) as Framework[]

/** Starts the service; it ends with the scope that holds it. */
export async function serveGuarded(framework: Framework, options: ServiceOptions): Promise<GuardedService> {
  const faults: unknown[] = []
  const server: Server = createServer(await HANDLES[framework](options, faults))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    faults,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
