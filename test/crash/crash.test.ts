// `kill -9` under load, again and again, of the server and every other time of Postgres too (`immediate`). Whatever was
// acknowledged before holds afterwards. CRASH_ROUNDS, and CRASH_SEED to have a run's choices again.

import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect } from 'vitest'
import type { EmbeddedPostgres } from '../../src/server/db/embedded/embedded-postgres.ts'
import { API, ORDERS_SECRET } from '../support/acme.ts'
import { it, query, readPostmasterPid, type Workplace } from '../support/embedded-postgres-workplace.ts'
import { canary } from '../support/evidence.ts'
import { holdConnections } from '../support/held-connections.ts'
import { callApi } from '../support/requests.ts'
import { createRandom, readSeed } from '../support/seeded-random.ts'
import {
  newDataDir,
  newSecretKey,
  type ServerProcess,
  startServerProcess,
} from '../support/server-process.ts'
import { UNLIMITED_FAILURES } from '../support/test-server.ts'
import { workUntil } from './clients.ts'
import { Journal } from './journal.ts'

const ROUNDS = Number(process.env['CRASH_ROUNDS'] ?? 50)
const SEED = readSeed('CRASH_SEED')
const ROUND_MS = 60_000
/** Up to how long a round goes on once something of everything was acknowledged. */
const LONGEST_LIFE_MS = 1500
const LANES = 8

const random = createRandom(SEED)

/** What a deployment keeps from one life of its server to the next. */
const VARIABLES = {
  PATMINT_SECRET_KEY: newSecretKey(),
  PATMINT_ISSUER: 'https://sts.example.test',
  PATMINT_DATA_DIR: newDataDir(),
  PATMINT_LOG_LEVEL: 'info',
  ...UNLIMITED_FAILURES,
}

const startServer = (postgres: EmbeddedPostgres): Promise<ServerProcess> =>
  startServerProcess({ ...VARIABLES, PATMINT_DATABASE_URL: postgres.url })

/** A server that ran once, and a user of it who may hold any number of PATs. */
async function prepare(postgres: EmbeddedPostgres): Promise<{ adminToken: string; userId: string }> {
  const server = await startServerProcess({
    ...VARIABLES,
    PATMINT_DATABASE_URL: postgres.url,
    PATMINT_APPLY: 'config/example.yaml',
    ORDERS_SECRET: canary(ORDERS_SECRET),
  })
  const adminToken = server.bootstrapToken()
  const { json } = await callApi(server.url, adminToken, 'GET', '/users?email=jane%40acme.test')
  await query(postgres.url, 'update expiry_policies set max_active_tokens = 1000000')
  await server.stop()
  return { adminToken, userId: String((json['items'] as { id: string }[])[0]?.id) }
}

/** As `pg_ctl stop -m immediate`: Postgres writes nothing more, and recovers at its next start. */
async function crashPostgres(workplace: Workplace, postgres: EmbeddedPostgres): Promise<void> {
  process.kill(await readPostmasterPid(workplace.dataDir), 'SIGQUIT')
  await postgres.stop()
}

/** Waits until more of everything was acknowledged: a life in which nothing was shows nothing. */
async function untilMore(journal: Journal, before: Journal['counts']): Promise<void> {
  while (journal.counts.some((count, index) => count === before[index])) await sleep(10)
}

/** The first status that is not to come back later. */
async function insist(ask: () => Promise<{ readonly status: number }>): Promise<number> {
  for (;;) {
    const { status } = await ask()
    if (status !== 503) return status
    await sleep(200)
  }
}

/** Everything the journal holds, tried again; gives what does not hold. */
async function replay(
  url: string,
  { journal, credentials }: { journal: Journal; credentials: readonly string[] },
) {
  const connections = holdConnections(url, LANES)
  const rest = [...credentials]
  const wrong: string[] = []
  const tryOn = async (): Promise<void> => {
    for (let credential = rest.pop(); credential !== undefined; credential = rest.pop()) {
      const status = await insist(() => connections.exchange(credential, API))
      const problem = journal.judge(credential, status)
      if (problem !== null) wrong.push(problem)
    }
  }
  await Promise.all(Array.from({ length: LANES }, tryOn))
  connections.close()
  return wrong
}

const HALF_DONE = `
  select 'created without a record' from credentials c where created_at > now() - interval '1 hour'
    and not exists (select from audit_events where credential_id = c.id and type in ('credential.issued', 'platform.bootstrapped'))
  union all
  select 'recorded without being created' from audit_events e where type = 'credential.issued'
    and not exists (select from credentials where id = e.credential_id)
  union all
  select 'revoked without a record' from credentials c where revoked_at is not null
    and not exists (select from audit_events where credential_id = c.id and type = 'credential.revoked')
  union all
  select 'recorded without being revoked' from audit_events e where type = 'credential.revoked'
    and not exists (select from credentials where id = e.credential_id and revoked_at is not null)`

const countUnrecorded = async (url: string, tokenIds: readonly string[]): Promise<unknown> => {
  const [unrecorded] = await query(
    url,
    `select count(*)::int from unnest('{${tokenIds.join(',')}}'::text[]) as delivered (id)
     where not exists (select from audit_events where type = 'exchange.granted' and token_id = delivered.id)`,
  )
  return unrecorded
}

describe(`killed ${ROUNDS} times under load (CRASH_SEED=${SEED})`, () => {
  it('loses nothing that was acknowledged', { timeout: (ROUNDS + 2) * ROUND_MS }, async ({ workplace }) => {
    let postgres = await workplace.start()
    const durable = await query(
      postgres.url,
      `select setting from pg_settings where name in ('fsync', 'full_page_writes', 'synchronous_commit')`,
    )
    expect(durable).toEqual(['on', 'on', 'on'])
    const { adminToken, userId } = await prepare(postgres)
    const journal = new Journal()
    for (let round = 0; round < ROUNDS; round += 1) {
      const server = await startServer(postgres)
      const before = journal.counts
      const killed = new AbortController()
      const working = workUntil(killed.signal, { url: server.url, adminToken, userId, journal, random })
      await untilMore(journal, before)
      await sleep(random() * LONGEST_LIFE_MS)
      const crashes: (() => Promise<unknown>)[] = [() => server.stop('SIGKILL')]
      if (round % 2 === 1) crashes.push(() => crashPostgres(workplace, postgres))
      for (const crash of random() < 0.5 ? crashes : crashes.reverse()) await crash()
      killed.abort()
      await working
      if (round % 2 === 1) postgres = await workplace.start()
      const next = await startServer(postgres)
      // Those of this round, and some of before.
      const credentials = journal.credentials.slice(Math.max(0, before[0] - 50))
      expect(await replay(next.url, { journal, credentials })).toEqual([])
      expect(await countUnrecorded(postgres.url, journal.tokenIds.slice(before[2]))).toBe(0)
      expect(await query(postgres.url, HALF_DONE)).toEqual([])
      expect(journal.wrong).toEqual([])
      await next.stop('SIGKILL')
    }
    const last = await startServer(postgres)
    expect(await replay(last.url, { journal, credentials: journal.credentials })).toEqual([])
    expect(await countUnrecorded(postgres.url, journal.tokenIds)).toBe(0)
    await last.stop()
    const [creations, revocations, tokens] = journal.counts
    process.stdout.write(
      `acknowledged: ${creations} creations, ${revocations} revocations, ${tokens} tokens\n`,
    )
  })
})
