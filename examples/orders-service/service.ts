// An orders service in Fastify. Who may do what with which order stands in the token: every route asks for the scope of
// the very order it is about, and a token for all orders holds that too.

import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
// In a service of your own: from '@patmint/verify/fastify' and '@patmint/verify'.
import { readClaims, requireToken } from '../../src/verify/fastify.ts'
import { createVerifier, describeResource } from '../../src/verify/index.ts'

export const AUDIENCE = 'https://orders.example.com'

interface Order {
  readonly id: string
  readonly item: string
  shippedBy: string | null
}

type OrderRequest = FastifyRequest<{ Params: { id: string } }>

/** `publicUrl` is where clients see the service: DPoP proofs are made for that. */
export function createOrdersService(settings: { issuer: string; publicUrl: string }): FastifyInstance {
  const { issuer, publicUrl } = settings
  const orders = new Map(
    ['anvil', 'rope', 'lantern'].map((item, index) => [`${index + 1}`, newOrder(index, item)]),
  )
  const verifier = createVerifier({ issuer, audience: AUDIENCE })
  const metadata = describeResource({
    resource: AUDIENCE,
    issuers: [issuer],
    scopes: ['orders:read', 'orders:ship'],
  })
  const shared = { verifier, publicUrl, metadata }
  const mayRead = requireToken({ ...shared, scope: 'orders:read' })
  const mayReadOne = requireToken({
    ...shared,
    scope: ({ params }: OrderRequest) => `orders/${params.id}:read`,
  })
  const mayShipOne = requireToken({
    ...shared,
    scope: ({ params }: OrderRequest) => `orders/${params.id}:ship`,
  })

  const app = fastify()
  app.addHook('onClose', async () => verifier.close())
  app.get(metadata.path, async () => metadata.document)
  app.get('/orders', { onRequest: mayRead }, async () => ({ orders: [...orders.values()] }))
  app.get<{ Params: { id: string } }>('/orders/:id', { onRequest: mayReadOne }, async ({ params }, reply) => {
    const order = orders.get(params.id)
    return order ?? reply.code(404).send({ error: 'no_such_order' })
  })
  app.post<{ Params: { id: string } }>(
    '/orders/:id/ship',
    { onRequest: mayShipOne },
    async (request, reply) => {
      const order = orders.get(request.params.id)
      if (!order) return reply.code(404).send({ error: 'no_such_order' })
      if (order.shippedBy !== null) return reply.code(409).send({ error: 'already_shipped' })
      // The credential, not a name: it is what an audit record of the issuer has as well.
      order.shippedBy = readClaims(request).cred
      return order
    },
  )
  return app
}

const newOrder = (index: number, item: string): Order => ({ id: `${index + 1}`, item, shippedBy: null })
