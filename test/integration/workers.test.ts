// Several workers behind one port: what an operator does to them, and what clients see of it. Real processes.

import { existsSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { findRunningDatabase } from '../../src/server/db/embedded/embedded-postgres.ts'
import { holdConnections } from '../support/held-connections.ts'
import { parseSamples, sumOf } from '../support/metrics.ts'
import { requestExchange } from '../support/requests.ts'
import { linesOf, untilNextLine } from '../support/server-log.ts'
import {
  newDataDir,
  newSecretKey,
  type ServerProcess,
  startServerProcess,
} from '../support/server-process.ts'
import { createTestDatabase, withClient } from '../support/test-database.ts'

/** Every start of a worker is a second of work, and other tests want the cores as well. */
const TIMEOUT_MS = 240_000
const WAIT_MS = 120_000

async function waitUntil(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + WAIT_MS
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error('waited in vain')
    await sleep(20)
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const signal = ({ process: { pid = 0 } }: ServerProcess, name: NodeJS.Signals): void => {
  process.kill(pid, name)
}

/** Process ids of the two workers that were started last. */
const workersOf = (server: ServerProcess): number[] =>
  linesOf(server, 'worker started')
    .slice(-2)
    .map(({ worker = 0 }) => worker)

/** Asks on a connection of its own. */
const askOnce = (url: string): Promise<number> =>
  fetch(`${url}/healthz`, { headers: { Connection: 'close' } }).then(({ status }) => status)

/** Whether nobody listens; asks nothing, for a connection made in the moment of a stop may get no answer. */
const refuses = (url: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.once('connect', () => resolve(false)).once('error', () => resolve(true))
    socket.once('connect', () => socket.destroy())
  })

/** Asks until each of the workers has answered. */
const askUntilAnsweredBy = (server: ServerProcess, workers: readonly number[]): Promise<void> =>
  waitUntil(async () => {
    expect(await askOnce(server.url)).toBe(200)
    const answering = new Set(linesOf(server, 'request').map(({ worker }) => worker))
    return workers.every((worker) => answering.has(worker))
  })

/** Sends a request every few milliseconds until `isOver`; gives each answer's status, or what went wrong. */
async function sendUntil(isOver: () => boolean, send: () => Promise<{ status: number }>): Promise<unknown[]> {
  const outcomes: unknown[] = []
  while (!isOver()) {
    outcomes.push(await send().then(({ status }) => status, String))
    await sleep(5)
  }
  return outcomes
}

/** Runs `task` while the record of every exchange waits; they go on when it has ended. */
const whileRecordsWait = <T>(
  databaseUrl: string,
  task: (untilWaiting: (count: number) => Promise<void>) => Promise<T>,
): Promise<T> =>
  withClient(databaseUrl, async (client) => {
    await client.query('begin; lock table audit_events in exclusive mode')
    const result = await task((count) =>
      waitUntil(async () => {
        const { rowCount } = await client.query(`
          select from pg_locks l join pg_database d on d.oid = l.database
          where d.datname = current_database() and not l.granted`)
        return rowCount === count
      }),
    )
    await client.query('commit')
    return result
  })

describe('two workers', { timeout: TIMEOUT_MS }, () => {
  let server: ServerProcess
  let databaseUrl: string
  let subject_token: string
  const configFile = join(newDataDir(), 'patmint.yaml')

  beforeAll(async () => {
    databaseUrl = await createTestDatabase()
    writeFileSync(configFile, 'workers: 2\n')
    server = await startServerProcess({
      PATMINT_CONFIG: configFile,
      PATMINT_KEEP_ALIVE_SECONDS: '5',
      PATMINT_METRICS_PORT: '0',
      PATMINT_DATABASE_URL: databaseUrl,
      PATMINT_SECRET_KEY: newSecretKey(),
    })
    subject_token = server.bootstrapToken()
  }, TIMEOUT_MS)

  it('answer on one port, which is told once', async () => {
    expect(new Set(workersOf(server)).size).toBe(2)
    await askUntilAnsweredBy(server, workersOf(server))
    expect(linesOf(server, 'listening')).toEqual([
      expect.objectContaining({ url: server.url, issuer: server.issuer, workers: 2 }),
    ])
  })

  it('replace one that is killed, while the other serves', async () => {
    const [killed = 0, other = 0] = workersOf(server)
    const started = linesOf(server, 'worker started').length
    const ended = await untilNextLine(server, 'worker ended', () => process.kill(killed, 'SIGKILL'))
    expect(ended).toMatchObject({ level: 'error', worker: killed, how: 'a worker ended by SIGKILL' })
    while (linesOf(server, 'worker started').length === started) expect(await askOnce(server.url)).toBe(200)
    expect(workersOf(server)[0]).toBe(other)
    await askUntilAnsweredBy(server, workersOf(server))
  })

  it('are replaced on SIGHUP without losing a request', async () => {
    const before = workersOf(server)
    const held = holdConnections(server.url, 2)
    let isOver = false
    const send = [
      () => held.exchange(subject_token, `${server.issuer}/api`),
      () => requestExchange(server.url, { subject_token }, { Connection: 'close' }),
    ]
    const load = Promise.all([...send, ...send].map((each) => sendUntil(() => isOver, each)))
    await untilNextLine(server, 'rolling restart done', () => signal(server, 'SIGHUP'))
    await askUntilAnsweredBy(server, workersOf(server))
    isOver = true
    const outcomes = (await load).flat()
    held.close()
    expect(outcomes.length).toBeGreaterThan(50)
    expect(outcomes.filter((outcome) => outcome !== 200)).toEqual([])
    expect(before.filter(isAlive)).toEqual([])
    expect(workersOf(server).filter((worker) => isAlive(worker) && !before.includes(worker))).toHaveLength(2)
  })

  it('answer one more request on a silent connection before they give way', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ask = (): Promise<{ connection: unknown; isReused: boolean }> =>
      new Promise((resolve, reject) => {
        const asking = request(`${server.url}/healthz`, { agent }, (response) => {
          response.resume().once('end', () => {
            resolve({ connection: response.headers.connection, isReused: asking.reusedSocket })
          })
        })
        asking.once('error', reject).end()
      })
    expect(await ask()).toEqual({ connection: 'keep-alive', isReused: false })
    const done = untilNextLine(server, 'rolling restart done', () => signal(server, 'SIGHUP'))
    const answers: unknown[] = []
    await waitUntil(async () => {
      answers.push(await ask())
      return expect.objectContaining({ connection: 'close' }).asymmetricMatch(answers.at(-1))
    })
    expect(answers.at(-1)).toEqual({ connection: 'close', isReused: true })
    expect(await ask()).toEqual({ connection: 'keep-alive', isReused: false })
    agent.destroy()
    await done
  })

  it('are measured as one, and counts outlive the workers that made them', async () => {
    const countExchanges = async (): Promise<number> => {
      const samples = parseSamples(await (await fetch(server.metricsUrl ?? '')).text())
      expect(sumOf(samples, 'patmint_database_up')).toBe(1)
      expect(
        sumOf(samples, 'patmint_task_last_success_timestamp_seconds', { task: 'purge' }),
      ).toBeGreaterThan(0)
      return sumOf(samples, 'patmint_exchange_duration_seconds_count', { outcome: 'granted' })
    }
    const before = await countExchanges()
    for (let sent = 0; sent < 6; sent += 1)
      await requestExchange(server.url, { subject_token }, { Connection: 'close' })
    expect(await countExchanges()).toBe(before + 6)
    await untilNextLine(server, 'rolling restart done', () => signal(server, 'SIGHUP'))
    expect(await countExchanges()).toBe(before + 6)
  })

  it('stay when new ones cannot start, and the reason is told', async () => {
    const before = workersOf(server)
    writeFileSync(configFile, 'workers: 2\ncredential_reuse: never\n')
    const givenUp = 'rolling restart given up: the workers there are serve on'
    await untilNextLine(server, givenUp, () => signal(server, 'SIGHUP'))
    expect(linesOf(server, 'worker did not start')).toEqual([
      expect.objectContaining({
        level: 'error',
        reason: `wrong configuration\n  ${configFile}: credential_reuse must be one of flag, revoke_family`,
      }),
    ])
    expect(workersOf(server)).toEqual(before)
    expect(before.filter(isAlive)).toEqual(before)
    expect(await askOnce(server.url)).toBe(200)
  })

  it('finish what is in flight when the whole process group gets a signal; the server exits with 0', async () => {
    const workers = workersOf(server)
    const { answering, exiting } = await whileRecordsWait(databaseUrl, async (untilWaiting) => {
      const answering = Promise.all([0, 1].map(() => requestExchange(server.url, { subject_token })))
      await untilWaiting(2)
      for (const worker of workers) process.kill(worker, 'SIGINT')
      const exiting = server.stop('SIGINT')
      for (const worker of workers) process.kill(worker, 'SIGTERM')
      await waitUntil(() => refuses(server.url))
      expect(workers.filter(isAlive)).toEqual(workers)
      return { answering, exiting }
    })
    const answers = (await answering).map(({ status, headers }) => [status, headers.get('connection')])
    expect(answers).toEqual([
      [200, 'close'],
      [200, 'close'],
    ])
    expect(await exiting).toBe(0)
    expect(workers.filter(isAlive)).toEqual([])
  })
})

describe('two workers on the embedded Postgres', { timeout: TIMEOUT_MS }, () => {
  it('finish what is in flight and end when the primary is killed, and others go on from there', async () => {
    const variables = { PATMINT_WORKERS: '2', PATMINT_DATA_DIR: newDataDir() }
    const killed = await startServerProcess(variables)
    const subject_token = killed.bootstrapToken()
    const databaseUrl = (await findRunningDatabase(variables.PATMINT_DATA_DIR)) ?? ''
    const { answering } = await whileRecordsWait(databaseUrl, async (untilWaiting) => {
      const answering = requestExchange(killed.url, { subject_token })
      await untilWaiting(1)
      await killed.stop('SIGKILL')
      await waitUntil(() => workersOf(killed).filter(isAlive).length === 1)
      return { answering }
    })
    expect((await answering).status).toBe(200)
    await waitUntil(() => !workersOf(killed).some(isAlive))

    const again = await startServerProcess(variables)
    await askUntilAnsweredBy(again, workersOf(again))
    expect((await requestExchange(again.url, { subject_token })).status).toBe(200)
    expect(await again.stop()).toBe(0)
    expect(existsSync(join(variables.PATMINT_DATA_DIR, 'postgres', 'postmaster.pid'))).toBe(false)
  })
})
