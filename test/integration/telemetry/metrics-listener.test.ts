import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { logFile } from '../../support/evidence.ts'
import {
  newSecretKey,
  runServerCommand,
  type ServerProcess,
  startServerProcess,
} from '../../support/server-process.ts'
import { createTestDatabase } from '../../support/test-database.ts'

const newDeployment = async () => ({
  PATMINT_DATABASE_URL: await createTestDatabase(),
  PATMINT_SECRET_KEY: newSecretKey(),
})

describe('/metrics', () => {
  let server: ServerProcess
  beforeAll(async () => {
    server = await startServerProcess({ ...(await newDeployment()), PATMINT_METRICS_PORT: '0' })
  })
  afterAll(() => server.stop())

  const ask = (url: string, method = 'GET') => fetch(url, { method })

  it('is served on a port of its own, which the log tells, in the text exposition format', async () => {
    const answer = await ask(String(server.metricsUrl))
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    const text = await answer.text()
    expect(text).toMatch(/^patmint_build_info\{version="[\d.]+",node="24\.[\d.]+"\} 1$/m)
    expect(text).toMatch(/^process_cpu_seconds_total /m)
    expect(text).toMatch(/^patmint_database_up 1$/m)
  })

  it('is all that is served there, and is not served to clients', async () => {
    const url = new URL(String(server.metricsUrl))
    expect((await ask(url.origin)).status).toBe(404)
    expect((await ask(`${url.origin}/oauth2/token`, 'POST')).status).toBe(404)
    expect((await ask(url.href, 'POST')).status).toBe(405)
    expect((await ask(`${server.url}/metrics`)).status).toBe(404)
  })
})

describe('a port that is taken', () => {
  it('stops the start when it was asked for', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const result = await runServerCommand(['serve'], {
      ...(await newDeployment()),
      PATMINT_PORT: '0',
      PATMINT_METRICS_PORT: String(port),
    })
    other.close()
    expect(result.code).toBe(1)
    expect(result.stderr).toBe(
      `patmint-server: cannot listen on 127.0.0.1:${port} for metrics: listen EADDRINUSE: address already in use 127.0.0.1:${port}\n`,
    )
  })

  it('is done without when it is the default one, and the log says so', async () => {
    const other = createServer()
    // Where somebody has it already, that serves as well.
    const taken = new Promise<void>((resolve) =>
      other.once('listening', resolve).once('error', () => resolve()),
    )
    other.listen(9464, '127.0.0.1')
    await taken
    const server = await startServerProcess({ ...(await newDeployment()), PATMINT_METRICS_PORT: '' })
    expect(server.metricsUrl).toBeUndefined()
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
    expect(await server.stop()).toBe(0)
    other.close()
    const warnings = readFileSync(logFile(`server-${server.process.pid}`), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter(({ level }) => level === 'warn')
    expect(warnings).toMatchObject([
      {
        url: 'http://127.0.0.1:9464/metrics',
        msg: 'no metrics: the port is taken; PATMINT_METRICS_PORT names another',
      },
    ])
  })
})
