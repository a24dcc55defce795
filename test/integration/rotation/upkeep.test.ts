// What instances do to the ring by themselves: rotate what is due, seal anew, forget.

import { readFileSync } from 'node:fs'
import { decodeProtectedHeader } from 'jose'
import { describe, expect, it } from 'vitest'
import { type Config, loadConfig } from '../../../src/server/config/config.ts'
import { openDatabase } from '../../../src/server/db/database.ts'
import { createLogger } from '../../../src/server/http/log.ts'
import { keepKeys } from '../../../src/server/keep-keys.ts'
import { newSecretKey, runServerCommand } from '../../support/server-process.ts'
import { createTestDatabase, withClient } from '../../support/test-database.ts'
import { startTestServer, type TestServer } from '../../support/test-server.ts'

const DAY = 86_400
const ALGS = ['ES256', 'EdDSA', 'PS256', 'RS256']

interface Deployment {
  readonly server: TestServer
  readonly variables: Record<string, string>
}

/** A server on a database of its own, whose first keys are as old as it is. */
async function deploy(): Promise<Deployment> {
  const variables = {
    PATMINT_CONFIG: '/dev/null',
    PATMINT_DATABASE_URL: await createTestDatabase(),
    PATMINT_SECRET_KEY: newSecretKey(),
  }
  return { server: await startTestServer(variables), variables }
}

function configure(variables: Record<string, string>): Config {
  const config = loadConfig(variables)
  if (!config.ok) throw new Error(config.error.join('\n'))
  return config.value
}

/** The upkeep of so many instances at once, `seconds` from now. */
async function keepAt(seconds: number, variables: Record<string, string>, instances = 1): Promise<void> {
  const now = new Date(Date.now() + seconds * 1000)
  const config = configure(variables)
  if (!config.secretKeys) throw new Error('no secret key')
  const { secretKeys } = config
  const log = createLogger('error')
  const keep = async (): Promise<void> => {
    const db = openDatabase({ url: config.databaseUrl ?? '', maxConnections: 1 })
    await keepKeys({ config, db, secretKeys, log, clock: () => now }).finally(() => db.destroy())
  }
  await Promise.all(Array.from({ length: instances }, keep))
}

const listRows = ({ db }: TestServer) =>
  db
    .selectFrom('signing_keys')
    .select(['kid', 'alg', 'private_key_jwe as seal', 'retires_at as retiresAt', 'gone_at as goneAt'])
    .orderBy('published_at')
    .execute()

const listRotations = ({ db }: TestServer) =>
  db
    .selectFrom('audit_events')
    .select(['actor', 'target'])
    .where('type', '=', 'signing_key.rotated')
    .execute()

const algsOf = (rows: readonly { readonly alg: string }[]): string[] => rows.map(({ alg }) => alg).sort()

describe('a rotation that is due', () => {
  it('is done by one of many instances that find it so, for every algorithm, and recorded', async () => {
    const { server, variables } = await deploy()
    await keepAt(30 * DAY - 60, variables, 3)
    expect(await listRotations(server)).toEqual([])
    await keepAt(30 * DAY + 60, variables, 5)
    const rows = await listRows(server)
    expect(algsOf(rows.filter(({ retiresAt }) => retiresAt))).toEqual(ALGS)
    const next = rows.filter(({ retiresAt }) => !retiresAt)
    expect(algsOf(next)).toEqual(ALGS)
    expect((await listRotations(server)).map(({ actor, target }) => `${actor} ${target}`).sort()).toEqual(
      next.map(({ kid }) => `schedule signing_key:${kid}`).sort(),
    )
    await server.stop()
  })

  it('waits for somebody to ask when the schedule is off', async () => {
    const { server, variables } = await deploy()
    await keepAt(3650 * DAY, { ...variables, PATMINT_KEY_ROTATION_DAYS: '0' })
    expect(await listRows(server)).toHaveLength(4)
    await server.stop()
  })
})

describe('the private half of a key that is gone', () => {
  it('is forgotten, and not before', async () => {
    const { server, variables } = await deploy()
    await keepAt(31 * DAY, variables)
    const old = (await listRows(server)).filter(({ retiresAt }) => retiresAt)
    const goneInSeconds = ((old[0]?.goneAt?.getTime() ?? 0) - Date.now()) / 1000
    const countKept = async (): Promise<number> =>
      (await listRows(server)).filter(({ kid, seal }) => seal && old.some((one) => one.kid === kid)).length
    await keepAt(goneInSeconds - 30, variables)
    expect(await countKept()).toBe(4)
    await keepAt(goneInSeconds + 30, variables)
    expect(await countKept()).toBe(0)
    await server.stop()
  })
})

/** What docs/operations.md has operators run to see which secret keys are needed. */
async function countByDocumentation({ PATMINT_DATABASE_URL = '' }: Record<string, string>) {
  const [, statement = ''] =
    /```sql\n(select 'credentials' as what.+?)```/s.exec(readFileSync('docs/operations.md', 'utf8')) ?? []
  const { rows } = await withClient(PATMINT_DATABASE_URL, (client) => client.query(statement))
  return rows.map((row: { count: string }) => ({ ...row, count: Number(row.count) }))
}

describe('private keys under an older secret key', () => {
  const sealersOf = async (server: TestServer): Promise<unknown[]> => {
    const seals = (await listRows(server)).map(({ seal }) => decodeProtectedHeader(seal ?? '').kid)
    return [...new Set(seals)]
  }

  it('are sealed anew by instances that start together, after which the older one can be dropped', async () => {
    const { server, variables } = await deploy()
    const [old] = await sealersOf(server)
    const newKey = newSecretKey()
    const both = { ...variables, PATMINT_SECRET_KEY: `${newKey},${variables['PATMINT_SECRET_KEY']}` }
    await keepAt(0, both, 3)
    const sealers = await sealersOf(server)
    expect(sealers).toHaveLength(1)
    expect(sealers).not.toEqual([old])
    expect(await countByDocumentation(variables)).toContainEqual({
      what: 'signing keys',
      key: sealers[0],
      count: 4,
    })
    await keepAt(0, { ...variables, PATMINT_SECRET_KEY: newKey })
    await expect(keepAt(0, variables)).rejects.toThrow(`PATMINT_SECRET_KEY lacks the key "${sealers[0]}"`)
    await server.stop()
  })
})

describe('patmint-server rotate-keys', () => {
  it('publishes the next keys, says so, and a second time that there is nothing to do', async () => {
    const { server, variables } = await deploy()
    const one = await runServerCommand(['rotate-keys', '--alg', 'EdDSA'], variables)
    expect([one.code, one.stderr]).toEqual([0, ''])
    expect(one.stdout).toMatch(
      /^EdDSA: [\w-]{43} is published, and takes over from [\w-]{43} at \d{4}-\d\d-\d\dT[\d:.]+Z\n$/,
    )
    const renamed = {
      ...variables,
      PATMINT_SECRET_KEY: `${newSecretKey()},${variables['PATMINT_SECRET_KEY']}`,
    }
    const all = await runServerCommand(['rotate-keys'], renamed)
    expect(all.stdout.split('\n').map((line) => line.split(' ')[0])).toEqual([
      '5',
      'ES256:',
      'RS256:',
      'PS256:',
      '',
    ])
    const again = await runServerCommand(['rotate-keys'], renamed)
    expect(again).toEqual({
      code: 0,
      stdout: 'nothing to rotate: the next keys are published already\n',
      stderr: '',
    })
    expect((await listRotations(server)).map(({ actor }) => actor)).toEqual(Array(4).fill('operator'))
    await server.stop()
  })

  it('knows no other algorithm', async () => {
    const { code, stderr } = await runServerCommand(['rotate-keys', '--alg', 'none'], {})
    expect(code).toBe(2)
    expect(stderr).toContain("'none' is invalid. Allowed choices are ES256, EdDSA, RS256, PS256")
  })
})
