// The server with its embedded Postgres, as `npm start` runs it: killed, started again, started twice.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { requestExchange } from '../support/requests.ts'
import { newDataDir, runServerCommand, startServerProcess } from '../support/server-process.ts'

describe('a server with the embedded Postgres', () => {
  it('loses nothing when it is killed, and starts again in the same folder', async () => {
    const PATMINT_DATA_DIR = newDataDir()
    const killed = await startServerProcess({ PATMINT_DATA_DIR })
    const subject_token = killed.bootstrapToken()
    const before = await requestExchange(killed.url, { subject_token })
    expect(before.status).toBe(200)
    await killed.stop('SIGKILL')
    const again = await startServerProcess({ PATMINT_DATA_DIR })
    expect((await requestExchange(again.url, { subject_token })).status).toBe(200)
    expect(await again.stop()).toBe(0)
  })

  it('refuses a second server in its folder with a clear error, and serves on', async () => {
    const PATMINT_DATA_DIR = newDataDir()
    const first = await startServerProcess({ PATMINT_DATA_DIR })
    const second = await runServerCommand(['serve'], { PATMINT_DATA_DIR, PATMINT_PORT: '0' })
    expect(second.code).toBe(1)
    expect(second.stderr).toBe(
      `patmint-server: Another Patmint server is using ${PATMINT_DATA_DIR}: stop it, or give this one a folder of its own with PATMINT_DATA_DIR\n`,
    )
    expect((await requestExchange(first.url, { subject_token: first.bootstrapToken() })).status).toBe(200)
    expect(await first.stop()).toBe(0)
    expect(existsSync(join(PATMINT_DATA_DIR, 'postgres', 'postmaster.pid'))).toBe(false)
  })

  it('lets apply work beside it, and without it', async () => {
    const variables = { PATMINT_DATA_DIR: newDataDir(), ORDERS_SECRET: 'orders-service-secret-0123456789' }
    const apply = () => runServerCommand(['apply', '-f', 'config/example.yaml'], variables)
    const server = await startServerProcess(variables)
    const applied = await apply()
    expect(applied).toMatchObject({ code: 0, stderr: '' })
    expect(applied.stdout).toContain('created organization acme\n')
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
    expect(await server.stop()).toBe(0)
    expect(await apply()).toEqual({ code: 0, stdout: 'nothing to change\n', stderr: '' })
  })

  it('ends on SIGINT as on SIGTERM', async () => {
    const server = await startServerProcess({})
    expect(await server.stop('SIGINT')).toBe(0)
  })
})
