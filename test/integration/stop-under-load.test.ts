// A server that is stopped while it is busy. A real process, and connections that are kept open as a proxy keeps them.

import { expect, it } from 'vitest'
import { Connection, LOST, type Target } from '../bench/load/connection.ts'
import { composeExchange } from '../bench/load/requests.ts'
import { ORDERS_SECRET } from '../support/acme.ts'
import { canary } from '../support/evidence.ts'
import { issuePat } from '../support/requests.ts'
import { newSecretKey, startServerProcess } from '../support/server-process.ts'
import { createTestDatabase, withClient } from '../support/test-database.ts'

const CONNECTIONS = 16

interface Outcome {
  readonly agent: string
  readonly status: number
}

/** Exchanges one after the other, each under a name of its own, until the connection ends. */
async function exchangeOver(target: Target, credential: string, outcomes: Outcome[]): Promise<void> {
  const connection = await Connection.open(target)
  const exchange = (): Promise<void> => {
    const agent = crypto.randomUUID()
    const request = composeExchange(credential).toString().replace('patmint-bench', agent)
    return new Promise((resolve) =>
      connection.send(Buffer.from(request), (status) => {
        outcomes.push({ agent, status })
        resolve()
      }),
    )
  }
  while (connection.isOpen) await exchange()
}

it.each(['SIGTERM', 'SIGINT'] as const)(
  'on %s a busy server answers all it has begun to work on, and refuses connections then',
  async (signal) => {
    const databaseUrl = await createTestDatabase()
    const server = await startServerProcess({
      PATMINT_DATABASE_URL: databaseUrl,
      PATMINT_SECRET_KEY: newSecretKey(),
      PATMINT_LOG_LEVEL: 'info',
      PATMINT_APPLY: 'config/example.yaml',
      ORDERS_SECRET: canary(ORDERS_SECRET),
    })
    const { hostname, port } = new URL(server.url)
    const target = { host: hostname, port: Number(port) }
    const credential = await issuePat(server.url, server.bootstrapToken(), 'jane@acme.test', { name: 'busy' })
    const outcomes: Outcome[] = []
    const exchanging = Array.from({ length: CONNECTIONS }, () => exchangeOver(target, credential, outcomes))
    while (outcomes.length < 10 * CONNECTIONS) await new Promise(setImmediate)
    expect(await server.stop(signal)).toBe(0)
    await Promise.all(exchanging)
    await expect(Connection.open(target)).rejects.toMatchObject({ code: 'ECONNREFUSED' })

    const answered = outcomes.filter(({ status }) => status !== LOST)
    expect(new Set(answered.map(({ status }) => status))).toEqual(new Set([200]))
    const recorded = await withClient(databaseUrl, async (client) => {
      const text = `select user_agent from audit_events where type = 'exchange.granted'`
      return (await client.query<{ user_agent: string }>(text)).rows
    })
    // What was recorded was answered: a request that got lost had not been begun.
    expect(recorded.map(({ user_agent: agent }) => agent).sort()).toEqual(
      answered.map(({ agent }) => agent).sort(),
    )
  },
)
