// What a running server says and how it ends. Real processes.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { logFile } from '../support/evidence.ts'
import { requestExchange } from '../support/requests.ts'
import {
  environment,
  newDataDir,
  newSecretKey,
  type ServerProcess,
  startServerProcess,
} from '../support/server-process.ts'
import { createTestDatabase, withClient } from '../support/test-database.ts'

const newDeployment = async () => ({
  PATMINT_DATABASE_URL: await createTestDatabase(),
  PATMINT_SECRET_KEY: newSecretKey(),
})

async function waitUntil(holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 4000
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error('waited in vain')
    await sleep(20)
  }
}

const refuses = (url: string): Promise<boolean> =>
  fetch(`${url}/healthz`, { headers: { Connection: 'close' } }).then(
    () => false,
    () => true,
  )

/** Stops a server while the record of an exchange waits for a lock; it must end with 0 all the same, and in time. */
async function stopWithHangingRecord(server: ServerProcess, databaseUrl: string): Promise<void> {
  const subject_token = server.bootstrapToken()
  await withClient(databaseUrl, async (client) => {
    await client.query('begin')
    await client.query('lock table audit_events in exclusive mode')
    const answering = requestExchange(server.url, { subject_token }).catch((error: unknown) => error)
    await sleep(300)
    const signalledAt = performance.now()
    expect(await server.stop('SIGTERM')).toBe(0)
    expect(performance.now() - signalledAt).toBeLessThan(10_000)
    await answering
  })
}

describe.concurrent('a server', () => {
  it('prints the line that it listens at every log level, and at `error` nothing else', async () => {
    const server = await startServerProcess({ ...(await newDeployment()), PATMINT_LOG_LEVEL: 'error' })
    const closed = once(server.process, 'close')
    expect(await server.stop()).toBe(0)
    await closed
    const readLog = (): string => readFileSync(logFile(`server-${server.process.pid}`), 'utf8')
    await waitUntil(async () => readLog() !== '')
    const lines = readLog().trim().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
        issuer: server.url.replace('127.0.0.1', 'localhost'),
        workers: 1,
        msg: 'listening',
      },
    ])
  })

  it('ends with 0 on SIGTERM while it waits behind the migration of another', async () => {
    const deployment = await newDeployment()
    const other = await startServerProcess(deployment)
    expect(await other.stop()).toBe(0)
    const code = await withClient(deployment.PATMINT_DATABASE_URL, async (client) => {
      await client.query('begin; lock table kysely_migration in access exclusive mode')
      const env = environment({
        ...deployment,
        PATMINT_PORT: '0',
        PATMINT_CONFIG: '/dev/null',
        PATMINT_DATA_DIR: newDataDir(),
      })
      const child = spawn(process.execPath, ['src/server/main.ts'], { env, stdio: 'ignore' })
      const exited = once(child, 'exit')
      await waitUntil(async () => {
        const { rows } = await client.query(
          `select from pg_locks where relation = 'kysely_migration'::regclass and not granted`,
        )
        return rows.length > 0
      })
      child.kill('SIGTERM')
      return (await exited)[0] as number
    })
    expect(code).toBe(0)
  })

  it('finishes an exchange in flight on SIGTERM, takes no new one, and exits with 0 in time', async () => {
    const deployment = await newDeployment()
    const server = await startServerProcess(deployment)
    const subject_token = server.bootstrapToken()
    // A connection kept open without a request must not delay the end.
    await requestExchange(server.url, { subject_token })
    const { answer, code, milliseconds } = await withClient(
      deployment.PATMINT_DATABASE_URL,
      async (client) => {
        // An exchange is answered when its audit record is on disk; this lets it get that far and no further.
        await client.query('begin')
        await client.query('lock table audit_events in exclusive mode')
        const answering = requestExchange(server.url, { subject_token })
        await waitUntil(async () => {
          const { rowCount } = await client.query(`
            select from pg_locks l join pg_database d on d.oid = l.database
            where d.datname = current_database() and not l.granted`)
          return rowCount === 1
        })
        const signalledAt = performance.now()
        const exiting = server.stop('SIGTERM')
        await waitUntil(() => refuses(server.url))
        expect(server.process.exitCode).toBe(null)
        await client.query('commit')
        const [answered, exited] = await Promise.all([answering, exiting])
        return { answer: answered, code: exited, milliseconds: performance.now() - signalledAt }
      },
    )
    expect(answer.status).toBe(200)
    expect(answer.json['access_token']).toEqual(expect.any(String))
    // And is done then: the connection is not kept for a further request.
    expect(answer.headers.get('connection')).toBe('close')
    expect(code).toBe(0)
    expect(milliseconds).toBeLessThan(10_000)
  })

  it('exits with 0 in time also when what is in flight does not end', async () => {
    const deployment = await newDeployment()
    const server = await startServerProcess(deployment)
    await stopWithHangingRecord(server, deployment.PATMINT_DATABASE_URL)
  })

  it('exits with 0 in time also when a record hangs for longer than that, and says so', async () => {
    const url = await createTestDatabase()
    const deployment = {
      // Whoever runs it may set longer time-outs than ours.
      PATMINT_DATABASE_URL: `${url}?statement_timeout=60000&query_timeout=60000`,
      PATMINT_SECRET_KEY: newSecretKey(),
    }
    const server = await startServerProcess(deployment)
    const closed = once(server.process, 'close')
    await stopWithHangingRecord(server, url)
    await closed
    const log = readFileSync(logFile(`server-${server.process.pid}`), 'utf8')
    expect(log).toMatch(/"level":"error".*"msg":"stopping took too long: what is left is abandoned"/)
  })
})
