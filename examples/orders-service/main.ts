// The process of the orders service: configuration from the environment, one line when it serves, an orderly end.

import { createOrdersService } from './service.ts'

const { PATMINT_ISSUER: issuer = 'http://localhost:8693', ORDERS_URL: publicUrl = 'http://localhost:8701' } =
  process.env

const app = createOrdersService({ issuer, publicUrl })
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void app.close())
const { port } = new URL(publicUrl)
await app.listen({ host: '127.0.0.1', port: Number(port) })
process.stdout.write(`${JSON.stringify({ msg: 'listening', url: publicUrl, issuer })}\n`)
