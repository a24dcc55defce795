// A Patmint server ready to be measured: PATs that were used before, and its tokens checked as a service would.

import { createVerifier } from '../../../src/verify/index.ts'
import { startClosedLoop } from '../load/closed-loop.ts'
import type { Target } from '../load/connection.ts'
import { AUDIENCE, composeExchange, SCOPE, spendRequests } from '../load/requests.ts'
import { Tally } from '../load/tally.ts'
import { openDatabaseMeter } from '../meter/database-meter.ts'
import { seedCredentials } from '../seed/credentials.ts'
import type { Contestant } from '../trial/trial.ts'
import { type Server, startServer } from './server.ts'

export interface Patmint extends Contestant {
  readonly server: Server
  /** PATs each of which was exchanged before. */
  readonly pats: readonly string[]
  /** An exchange of each of them. */
  readonly exchanges: readonly Buffer[]
}

export interface PatmintOptions {
  readonly name: string
  readonly dir: string
  readonly databaseUrl: string
  readonly settings: Readonly<Record<string, string>>
  readonly pats: number
  /** Fills the database beyond what the measurement needs, once its server has made its own rows. */
  readonly fill?: (databaseUrl: string) => Promise<void>
}

/** Starts a server, makes its PATs and uses each of them once. Whatever is to be ended goes on the stack. */
export async function openPatmint(stack: AsyncDisposableStack, options: PatmintOptions): Promise<Patmint> {
  const server = await startServer(options)
  stack.defer(() => server.stop())
  await options.fill?.(server.databaseUrl)
  const database = await openDatabaseMeter(server.databaseUrl)
  stack.defer(() => database.close())
  const pats = await seedCredentials(server, options.pats)
  const exchanges = pats.map(composeExchange)
  await useOnce(server.target, exchanges)
  return {
    name: options.name,
    target: server.target,
    meters: { serverPid: server.pid, database },
    findFault: createFaultFinder(server.issuer),
    server,
    pats,
    exchanges,
  }
}

const FIRST_USE_CONNECTIONS = 8

async function useOnce(target: Target, exchanges: readonly Buffer[]): Promise<void> {
  const tally = new Tally([200])
  const next = spendRequests(exchanges)
  const load = await startClosedLoop({ target, connections: FIRST_USE_CONNECTIONS, next })
  load.count(tally)
  await load.spent
  if (tally.failures > 0) throw new Error(`PATs that work were refused: ${tally.unexpected.join(', ')}`)
}

/** Exchanges a PAT over an ordinary client. Rejects when it is refused. */
export async function exchangeOnce(url: string, pat: string): Promise<string> {
  const request = composeExchange(pat).toString()
  const response = await fetch(`${url}/oauth2/token`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: request.slice(request.indexOf('\r\n\r\n') + 4),
  })
  const body = await response.text()
  if (response.status !== 200) throw new Error(`a PAT that works was answered ${response.status}: ${body}`)
  return body
}

/** Verifies the token in a body with the library services embed, and that its scope is what was asked for. */
function createFaultFinder(issuer: string): Contestant['findFault'] {
  const verifier = createVerifier({ issuer, audience: AUDIENCE })
  return async (body) => {
    try {
      const { access_token: token } = JSON.parse(body.toString()) as { access_token: string }
      const { scope } = await verifier.verify(token)
      return scope === SCOPE ? undefined : `a token for ${scope}`
    } catch (error) {
      return `a token that does not verify: ${error}`
    }
  }
}
