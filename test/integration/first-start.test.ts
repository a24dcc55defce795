// The first start on an empty database, alone and by several at once, and the starts after it. Real processes.

import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { generateCredential } from '../../src/protocol/credential.ts'
import { canary } from '../support/evidence.ts'
import { callApi, issuePat, requestExchange } from '../support/requests.ts'
import {
  newDataDir,
  newSecretKey,
  runServerCommand,
  type ServerProcess,
  startServerProcess,
} from '../support/server-process.ts'
import { createTestDatabase, withClient } from '../support/test-database.ts'

const ISSUER = 'http://sts.example.test'

const newDeployment = async () => ({
  PATMINT_ISSUER: ISSUER,
  PATMINT_DATABASE_URL: await createTestDatabase(),
  PATMINT_SECRET_KEY: newSecretKey(),
})

interface Count {
  readonly organizations: number
  readonly users: number
  readonly credentials: number
  readonly signing_keys: number
  readonly bootstraps: number
}

const count = (url: string): Promise<Count | undefined> =>
  withClient(url, async (client) => {
    const { rows } = await client.query<Count>(`
      select (select count(*)::int from organizations) as organizations,
        (select count(*)::int from users) as users,
        (select count(*)::int from credentials) as credentials,
        (select count(*)::int from signing_keys) as signing_keys,
        (select count(*)::int from audit_events where type = 'platform.bootstrapped') as bootstraps`)
    return rows[0]
  })

const BOOTSTRAPPED: Count = { organizations: 1, users: 1, credentials: 1, signing_keys: 4, bootstraps: 1 }

/** Whether a credential is one of the platform admin. */
async function isAdmin({ url }: ServerProcess, token: string): Promise<boolean> {
  const users = await callApi(url, token, 'GET', '/users')
  const exchange = await requestExchange(url, { subject_token: token })
  return users.status === 200 && exchange.status === 200
}

async function stopAll(servers: readonly ServerProcess[]): Promise<void> {
  expect(await Promise.all(servers.map((server) => server.stop()))).toEqual(servers.map(() => 0))
}

describe.concurrent('the first start', () => {
  it('by three servers at once makes one admin, one set of keys, and all three serve', async () => {
    const deployment = await newDeployment()
    const servers = await Promise.all([1, 2, 3].map(() => startServerProcess(deployment)))
    expect(await count(deployment.PATMINT_DATABASE_URL)).toEqual(BOOTSTRAPPED)
    const files = servers.map(({ dataDir }) => readdirSync(dataDir))
    expect(files.filter((names) => names.length > 0)).toEqual([['bootstrap-password', 'bootstrap-token']])
    const maker = servers.find(({ dataDir }) => readdirSync(dataDir).length > 0)
    const token = maker?.bootstrapToken() ?? ''
    expect(await Promise.all(servers.map((server) => isAdmin(server, token)))).toEqual([true, true, true])
    const keySets = servers.map(async ({ url }) => (await fetch(`${url}/.well-known/jwks.json`)).text())
    expect(new Set(await Promise.all(keySets)).size).toBe(1)
    await stopAll(servers)
  })

  it('keeps what it generates for its owner alone, and a later one neither replaces nor adds', async () => {
    const PATMINT_DATA_DIR = join(newDataDir(), 'data')
    const deployment = { ...(await newDeployment()), PATMINT_DATA_DIR }
    const first = await startServerProcess(deployment)
    const token = first.bootstrapToken()
    await stopAll([first])
    const names = readdirSync(PATMINT_DATA_DIR)
    const modes = [PATMINT_DATA_DIR, ...names.map((name) => join(PATMINT_DATA_DIR, name))].map((path) =>
      (statSync(path).mode & 0o777).toString(8),
    )
    expect([names, modes]).toEqual([
      ['bootstrap-password', 'bootstrap-token'],
      ['700', '600', '600'],
    ])
    canary(readFileSync(join(PATMINT_DATA_DIR, 'bootstrap-password'), 'utf8').trim())

    const elsewhere = newDataDir()
    const later = await Promise.all([
      startServerProcess(deployment),
      startServerProcess({ ...deployment, PATMINT_DATA_DIR: elsewhere }),
    ])
    expect(await Promise.all(later.map((server) => isAdmin(server, token)))).toEqual([true, true])
    expect([later[0]?.bootstrapToken(), readdirSync(elsewhere)]).toEqual([token, []])
    expect(await count(deployment.PATMINT_DATABASE_URL)).toEqual(BOOTSTRAPPED)
    await stopAll(later)
  })

  it('with a token and a password given generates nothing', async () => {
    const PATMINT_DATA_DIR = join(newDataDir(), 'data')
    const token = canary(generateCredential('personal', randomBytes).reveal())
    const server = await startServerProcess({
      ...(await newDeployment()),
      PATMINT_DATA_DIR,
      PATMINT_BOOTSTRAP_TOKEN: token,
      PATMINT_BOOTSTRAP_PASSWORD: canary(randomBytes(12).toString('base64url')),
    })
    expect(existsSync(PATMINT_DATA_DIR)).toBe(false)
    expect(await isAdmin(server, token)).toBe(true)
    await stopAll([server])
  })

  it('applies the files of PATMINT_APPLY before it listens, and again at the next one', async () => {
    const deployment = {
      ...(await newDeployment()),
      PATMINT_DATA_DIR: newDataDir(),
      PATMINT_APPLY: 'config/example.yaml',
      ORDERS_SECRET: canary(randomBytes(16).toString('hex')),
    }
    const first = await startServerProcess(deployment)
    const pat = await issuePat(first.url, first.bootstrapToken(), 'jane@acme.test', { name: 'laptop' })
    await stopAll([first])
    const again = await startServerProcess(deployment)
    const audience = 'https://api.example.com'
    const answer = await requestExchange(again.url, { subject_token: pat, audience })
    expect(answer.json['scope']).toBe('datasets:read models:read')
    await stopAll([again])
  })

  it('makes an admin also where files were applied before it', async () => {
    const deployment = { ...(await newDeployment()), ORDERS_SECRET: canary(randomBytes(16).toString('hex')) }
    const applied = await runServerCommand(['apply', '-f', 'config/example.yaml'], deployment)
    expect(applied).toMatchObject({ code: 0, stderr: '' })
    const server = await startServerProcess(deployment)
    expect(await isAdmin(server, server.bootstrapToken())).toBe(true)
    expect(await count(deployment.PATMINT_DATABASE_URL)).toEqual({
      ...BOOTSTRAPPED,
      organizations: 2,
      users: 4,
    })
    await stopAll([server])
  })
})

describe.concurrent('the issuer of a database', () => {
  const OTHER = 'https://other.example.test'

  it('is not taken over by a start with another one, which leaves the running servers alone', async () => {
    const deployment = await newDeployment()
    const server = await startServerProcess(deployment)
    const other = { ...deployment, PATMINT_PORT: '0', PATMINT_ISSUER: OTHER, PATMINT_DATA_DIR: newDataDir() }
    const refused = await runServerCommand(['serve'], other)
    const statement = `update resource_servers set audience = '${OTHER}/api' where built_in`
    expect([refused.code, refused.stderr]).toEqual([
      1,
      `patmint-server: the database belongs to the issuer ${ISSUER}, this server is ${OTHER}; ` +
        `to move it, stop every instance and run: ${statement}\n`,
    ])
    const token = server.bootstrapToken()
    expect(await isAdmin(server, token)).toBe(true)
    await stopAll([server])

    await withClient(deployment.PATMINT_DATABASE_URL, (client) => client.query(statement))
    const moved = await startServerProcess(other)
    expect(await isAdmin(moved, token)).toBe(true)
    await stopAll([moved])
  })

  it('follows the port of the day as long as it is a local one', async () => {
    const { PATMINT_ISSUER: _, ...deployment } = await newDeployment()
    const first = await startServerProcess(deployment)
    const token = first.bootstrapToken()
    await stopAll([first])
    const second = await startServerProcess(deployment)
    expect(await isAdmin(second, token)).toBe(true)
    await stopAll([second])
  })
})

describe.concurrent('secret keys', () => {
  it('may be rotated: what was made under the old one goes on, and signing keys move to the new one', {
    timeout: 90_000,
  }, async () => {
    const deployment = { ...(await newDeployment()), PATMINT_DATA_DIR: newDataDir() }
    const before = await startServerProcess(deployment)
    const oldToken = before.bootstrapToken()
    await stopAll([before])

    const newKey = newSecretKey()
    const rotated = {
      ...deployment,
      PATMINT_SECRET_KEY: `${newKey},${deployment.PATMINT_SECRET_KEY}`,
      PATMINT_APPLY: 'config/example.yaml',
      ORDERS_SECRET: canary(randomBytes(16).toString('hex')),
    }
    const after = await startServerProcess(rotated)
    expect(await isAdmin(after, oldToken)).toBe(true)
    const newToken = await issuePat(after.url, oldToken, 'jane@acme.test', { name: 'after the rotation' })
    const audience = 'https://api.example.com'
    expect((await requestExchange(after.url, { subject_token: newToken, audience })).status).toBe(200)
    await stopAll([after])

    const alone = await startServerProcess({ ...deployment, PATMINT_SECRET_KEY: newKey })
    expect((await requestExchange(alone.url, { subject_token: newToken, audience })).status).toBe(200)
    await stopAll([alone])

    const withoutNew = await runServerCommand(['serve'], { ...deployment, PATMINT_PORT: '0' })
    expect([withoutNew.code, withoutNew.stderr]).toEqual([
      1,
      expect.stringMatching(
        /^patmint-server: PATMINT_SECRET_KEY lacks the key "[\w-]{8}" that the database was written with\n$/,
      ),
    ])
  })
})
