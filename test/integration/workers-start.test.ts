// Workers that do not start, and what the operator reads then. Real processes.

import { once } from 'node:events'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { logFile } from '../support/evidence.ts'
import { linesOf, untilNextLine } from '../support/server-log.ts'
import { newDataDir, newSecretKey, runServerCommand, startServerProcess } from '../support/server-process.ts'
import { createTestDatabase, withClient } from '../support/test-database.ts'

const TIMEOUT_MS = 240_000

/** Variables of a server on an empty database of its own, with a data folder nobody has made. */
const newDeployment = async () => ({
  PATMINT_PORT: '0',
  PATMINT_WORKERS: '2',
  PATMINT_DATABASE_URL: await createTestDatabase(),
  PATMINT_SECRET_KEY: newSecretKey(),
  PATMINT_DATA_DIR: join(newDataDir(), 'data'),
})

const refusal = (code: number, text: string) => ({ code, stdout: '', stderr: `patmint-server: ${text}\n` })

/** A switch, and the NODE_OPTIONS with which every worker kills itself at its start while the switch is on. */
function newDeathSwitch() {
  const dir = newDataDir()
  const [path, flag] = [join(dir, 'preload.mjs'), join(dir, 'flag')]
  writeFileSync(
    path,
    `import { existsSync } from 'node:fs'
if (process.argv[2] === 'worker' && existsSync(${JSON.stringify(flag)})) process.kill(process.pid, 'SIGKILL')\n`,
  )
  return {
    NODE_OPTIONS: `--import=${path}`,
    turnOn: () => writeFileSync(flag, ''),
    turnOff: () => rmSync(flag),
  }
}

describe('workers that do not start', { timeout: TIMEOUT_MS }, () => {
  it('because of the configuration: every problem is told once, exit 2', async () => {
    const deployment = { ...(await newDeployment()), PATMINT_LOG_LEVEL: 'loud', PATMINT_SECRET_KEY: 'short' }
    const secretKey = 'must be 32 bytes in base64url (43 characters), or several of those separated by commas'
    const logLevel = 'must be one of debug, info, warn, error'
    expect(await runServerCommand(['serve'], deployment)).toEqual(
      refusal(2, `wrong configuration\n  PATMINT_SECRET_KEY ${secretKey}\n  PATMINT_LOG_LEVEL ${logLevel}`),
    )
  })

  it('because the port is taken: it is told once, exit 1, and nothing was touched', async () => {
    const deployment = await newDeployment()
    const holder = createServer()
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve))
    const { port } = holder.address() as AddressInfo
    const result = await runServerCommand(['serve'], { ...deployment, PATMINT_PORT: String(port) })
    holder.close()
    expect(result).toEqual(
      refusal(1, `cannot listen on 127.0.0.1:${port}: bind EADDRINUSE 127.0.0.1:${port}`),
    )
    expect(existsSync(deployment.PATMINT_DATA_DIR)).toBe(false)
    const tables = await withClient(deployment.PATMINT_DATABASE_URL, (client) =>
      client.query(`select from pg_tables where schemaname = 'public'`),
    )
    expect(tables.rowCount).toBe(0)
  })

  it('because each of them dies: the server ends with 1 and says how they did', async () => {
    const { NODE_OPTIONS, turnOn } = newDeathSwitch()
    turnOn()
    expect(await runServerCommand(['serve'], { ...(await newDeployment()), NODE_OPTIONS })).toEqual(
      refusal(1, 'a worker ended by SIGKILL'),
    )
  })

  it('are tried again for as long as another one serves, and end the server with 1 when none does', async () => {
    const { NODE_OPTIONS, turnOn, turnOff } = newDeathSwitch()
    const server = await startServerProcess({ ...(await newDeployment()), NODE_OPTIONS })
    const [first = 0, second = 0] = linesOf(server, 'worker started').map(({ worker = 0 }) => worker)
    turnOn()
    await untilNextLine(server, 'worker did not start', () => process.kill(first, 'SIGKILL'))
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
    const third = await untilNextLine(server, 'worker started', turnOff)
    turnOn()
    const closed = once(server.process, 'close')
    for (const pid of [second, third.worker ?? 0]) process.kill(pid, 'SIGKILL')
    expect((await closed)[0]).toBe(1)
    const output = readFileSync(logFile(`server-${server.process.pid}`), 'utf8')
      .trim()
      .split('\n')
    expect(output.filter((line) => !line.startsWith('{'))).toEqual([
      'patmint-server: workers end again and again: a worker ended by SIGKILL',
    ])
  })
})
