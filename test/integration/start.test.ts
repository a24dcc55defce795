// Starts that must not happen, and what the operator reads then. Real processes, as the operator runs them.

import { randomBytes } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { canary } from '../support/evidence.ts'
import {
  newDataDir,
  newSecretKey,
  type ProcessResult,
  runServerCommand,
  startServerProcess,
} from '../support/server-process.ts'
import { createTestDatabase, withClient } from '../support/test-database.ts'

interface Deployment extends Record<string, string> {
  readonly PATMINT_DATABASE_URL: string
  /** Not made yet. */
  readonly PATMINT_DATA_DIR: string
}

/** Variables of a server on an empty database of its own, with a data folder nobody has made. */
const newDeployment = async (): Promise<Deployment> => ({
  PATMINT_PORT: '0',
  PATMINT_DATABASE_URL: await createTestDatabase(),
  PATMINT_SECRET_KEY: newSecretKey(),
  PATMINT_DATA_DIR: join(newDataDir(), 'data'),
})

const countTables = (url: string): Promise<number> =>
  withClient(url, async (client) => {
    const { rows } = await client.query<{ count: number }>(
      `select count(*)::int as count from pg_tables where schemaname = 'public'`,
    )
    return rows[0]?.count ?? -1
  })

async function expectUntouched({ PATMINT_DATABASE_URL, PATMINT_DATA_DIR }: Deployment): Promise<void> {
  expect(await countTables(PATMINT_DATABASE_URL)).toBe(0)
  expect(existsSync(PATMINT_DATA_DIR)).toBe(false)
}

const refusal = (code: number, ...lines: readonly string[]): ProcessResult => ({
  code,
  stdout: '',
  stderr: `patmint-server: ${lines.join('\n  ')}\n`,
})

const KEY_REQUIRED =
  'PATMINT_SECRET_KEY is required with a database URL: the database is worthless without the key it was written with'

describe.concurrent('a server does not start', () => {
  it('with a wrong configuration: every problem is told, exit 2, and nothing is written', async () => {
    const deployment = await newDeployment()
    const password = canary(randomBytes(12).toString('base64url'))
    const result = await runServerCommand(['serve'], {
      ...deployment,
      PATMINT_PORT: 'http',
      PATMINT_LOG_LEVEL: 'loud',
      PATMINT_DATABASE_URL: `mysql://patmint:${password}@127.0.0.1/patmint`,
      PATMINT_SECRET_KEY: '',
    })
    expect(result).toEqual(
      refusal(
        2,
        'wrong configuration',
        'PATMINT_PORT must be a port number (in Kubernetes, a Service called patmint sets PATMINT_PORT: use enableServiceLinks: false)',
        'PATMINT_DATABASE_URL must be a postgres:// URL',
        'PATMINT_LOG_LEVEL must be one of debug, info, warn, error',
        KEY_REQUIRED,
      ),
    )
    await expectUntouched(deployment)
  })

  it.each(['serve', 'migrate'])('with a database but no secret key: %s, exit 2', async (command) => {
    const { PATMINT_SECRET_KEY: _, ...deployment } = await newDeployment()
    expect(await runServerCommand([command], deployment)).toEqual(
      refusal(2, 'wrong configuration', KEY_REQUIRED),
    )
    await expectUntouched(deployment as Deployment)
  })

  it('on a port that is taken: exit 1, and the database is as it was', async () => {
    const deployment = await newDeployment()
    const holder = createServer()
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve))
    const { port } = holder.address() as AddressInfo
    const result = await runServerCommand(['serve'], { ...deployment, PATMINT_PORT: String(port) })
    holder.close()
    expect(result).toEqual(
      refusal(
        1,
        `cannot listen on 127.0.0.1:${port}: listen EADDRINUSE: address already in use 127.0.0.1:${port}`,
      ),
    )
    await expectUntouched(deployment)
  })

  it('on a database that cannot be reached: exit 1, with its name but not its password', async () => {
    const deployment = await newDeployment()
    const password = canary(randomBytes(12).toString('base64url'))
    const closed = await findClosedPort()
    const PATMINT_DATABASE_URL = `postgres://patmint:${password}@127.0.0.1:${closed}/patmint`
    const ORDERS_SECRET = canary(randomBytes(16).toString('hex'))
    const results = await Promise.all(
      [['serve'], ['migrate'], ['apply', '-f', 'config/example.yaml']].map((args) =>
        runServerCommand(args, { ...deployment, PATMINT_DATABASE_URL, ORDERS_SECRET }),
      ),
    )
    const expected = refusal(
      1,
      `cannot use the database 127.0.0.1:${closed}/patmint: connect ECONNREFUSED 127.0.0.1:${closed}`,
    )
    expect(results).toEqual([expected, expected, expected])
  })

  it('on a database that does not exist: exit 1', async () => {
    const deployment = await newDeployment()
    const url = new URL(deployment.PATMINT_DATABASE_URL)
    url.pathname = '/patmint_nowhere'
    expect(await runServerCommand(['serve'], { ...deployment, PATMINT_DATABASE_URL: url.href })).toEqual(
      refusal(
        1,
        `cannot use the database ${url.host}/patmint_nowhere: database "patmint_nowhere" does not exist`,
      ),
    )
  })

  it('with a file to apply that contradicts itself: exit 2, and it never listened', async () => {
    const deployment = await newDeployment()
    const file = join(newDataDir(), 'acme.yaml')
    writeFileSync(file, 'organizations:\n  - { slug: acme, name: A }\n  - { slug: acme, name: B }\n')
    const variables = { ...deployment, PATMINT_APPLY: `config/example.yaml,${file}` }
    const unset = await runServerCommand(['serve'], variables)
    expect([unset.code, unset.stderr]).toEqual([
      2,
      expect.stringMatching(
        /^patmint-server: nothing was applied\n {2}config\/example\.yaml:\d+ the environment variable ORDERS_SECRET is not set\n$/,
      ),
    ])
    const ORDERS_SECRET = canary(randomBytes(16).toString('hex'))
    const contradictory = await runServerCommand(['serve'], { ...variables, ORDERS_SECRET })
    expect(contradictory.code).toBe(2)
    expect(contradictory.stderr).toBe(
      `patmint-server: nothing was applied\n  ${file}:2 organizations[0]: organization acme is declared twice\n  ${file}:3 organizations[1]: organization acme is declared twice\n`,
    )
    // What can be read without a database stops the server before it touched one.
    expect(unset.stdout).toBe('')
    expect(unset.stdout + contradictory.stdout).not.toContain('"msg":"listening"')
  })

  it('with a secret key the database was not written with: exit 1', async () => {
    const deployment = await newDeployment()
    expect(await (await startServerProcess(deployment)).stop()).toBe(0)
    const result = await runServerCommand(['serve'], { ...deployment, PATMINT_SECRET_KEY: newSecretKey() })
    expect([result.code, result.stderr]).toEqual([
      1,
      expect.stringMatching(
        /^patmint-server: PATMINT_SECRET_KEY lacks the key "[\w-]{8}" that the database was written with\n$/,
      ),
    ])
  })
})

/** A port that was free a moment ago. */
async function findClosedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

describe.concurrent('a command line', () => {
  it.each([
    [['unknown'], "error: too many arguments for 'serve'. Expected 0 arguments but got 1: unknown.\n"],
    [['serve', '--port', '1'], "error: unknown option '--port'\n"],
    [['migrate', '--dry-run'], "error: unknown option '--dry-run'\n"],
    [['apply'], "error: required option '-f, --file <path...>' not specified\n"],
  ])('that is wrong ends with 2: %j', async (args, stderr) => {
    const deployment = await newDeployment()
    expect(await runServerCommand(args, deployment)).toEqual({ code: 2, stdout: '', stderr })
    await expectUntouched(deployment)
  })

  it.each([[['--help']], [['help']]])(
    'may ask for help, also with a wrong configuration: %j',
    async (args) => {
      const result = await runServerCommand(args, { PATMINT_PORT: 'wrong' })
      expect(result).toMatchObject({ code: 0, stderr: '' })
      for (const command of ['serve', 'migrate', 'apply']) expect(result.stdout).toContain(`\n  ${command} `)
    },
  )
})

describe('migrate', () => {
  it('says what it did, and the second time that there is nothing to do', async () => {
    const deployment = await newDeployment()
    const first = await runServerCommand(['migrate'], deployment)
    expect(first).toMatchObject({ code: 0, stderr: '' })
    expect(first.stdout).toMatch(/^applied 0001_organizations_and_users\n(applied 0\d{3}_[a-z_]+\n)+$/)
    expect(await countTables(deployment.PATMINT_DATABASE_URL)).toBeGreaterThan(10)
    expect(await runServerCommand(['migrate'], deployment)).toEqual({
      code: 0,
      stdout: 'nothing to migrate\n',
      stderr: '',
    })
    expect(existsSync(deployment.PATMINT_DATA_DIR)).toBe(false)
  })
})
