// `npm run example`: the orders service and the batch, from an empty machine: a Patmint of its own in a temporary folder,
// a PAT for the batch, the batch's run, and then the PAT is revoked. Exit 0 when each did its part.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'

const REPOSITORY = resolve(import.meta.dirname, '..')
const AUDIENCE = 'https://orders.example.com'

const say = (text: string): void => void process.stdout.write(`${text}\n`)

/** Of this shell's own Patmint, say one in production, the example must know nothing. */
const environment = (variables: Record<string, string>): Record<string, string | undefined> => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PATMINT_'))),
  ...variables,
})

const started: ChildProcess[] = []

/** Starts a program of this repository, and waits for the line in which it says that it serves; gives its issuer. */
async function start(args: readonly string[], variables: Record<string, string>): Promise<string> {
  const child = spawn(process.execPath, args, {
    cwd: REPOSITORY,
    env: environment(variables),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  started.push(child)
  for await (const line of createInterface({ input: child.stdout })) {
    const entry = JSON.parse(line) as { msg: string; issuer: string }
    if (entry.msg === 'listening') return entry.issuer
  }
  throw new Error(`${args[0]} ended before it served`)
}

/** Runs a program to its end; gives what it printed, and fails as it fails. */
async function run(
  program: string,
  args: readonly string[],
  variables: Record<string, string>,
): Promise<string> {
  const child = spawn(program, args, { env: environment(variables), stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  let printed = ''
  for await (const chunk of child.stdout) printed += String(chunk)
  const [code] = await closed
  if (code !== 0) throw new Error(`${program} ended with ${code}`)
  return printed.trim()
}

/** A port that is free now. */
async function findPort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function call(url: string, token: string, method = 'GET', body?: object): Promise<Response> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  return fetch(url, { method, headers, body: body ? JSON.stringify(body) : null })
}

/** A PAT for the batch, that reaches orders and nothing else. */
async function issuePat(issuer: string, adminPat: string): Promise<{ id: string; token: string }> {
  const found = await call(`${issuer}/api/v1/users?email=night-batch@acme.test`, adminPat)
  const { items } = (await found.json()) as { items: { id: string }[] }
  const wanted = {
    name: 'ship orders',
    expires_in_seconds: 30 * 86_400,
    permissions: [{ audience: AUDIENCE, scopes: ['orders:read', 'orders:ship'] }],
  }
  const issued = await call(`${issuer}/api/v1/users/${items[0]?.id}/tokens`, adminPat, 'POST', wanted)
  if (issued.status !== 201) throw new Error(`no PAT: ${issued.status} ${await issued.text()}`)
  return (await issued.json()) as { id: string; token: string }
}

/** Asks until the service refuses; gives its answer. */
async function waitForRefusal(url: string, token: string): Promise<Response> {
  for (;;) {
    const answer = await call(url, token)
    if (answer.status === 401) return answer
    await new Promise((wake) => setTimeout(wake, 200))
  }
}

async function runSteps(dataDir: string): Promise<void> {
  const issuer = await start(['src/server/main.ts', 'serve'], {
    PATMINT_CONFIG: '/dev/null',
    PATMINT_PORT: '0',
    PATMINT_METRICS_PORT: 'off',
    PATMINT_DATA_DIR: dataDir,
    PATMINT_APPLY: join(REPOSITORY, 'examples/example.yaml'),
    // Half a minute by default: services ask for the list that often.
    PATMINT_STATUS_LIST_TTL_SECONDS: '2',
  })
  const ordersUrl = `http://127.0.0.1:${await findPort()}`
  await start(['examples/orders-service/main.ts'], { PATMINT_ISSUER: issuer, ORDERS_URL: ordersUrl })
  say(`Patmint is at ${issuer}, the orders service at ${ordersUrl}`)

  const adminPat = readFileSync(join(dataDir, 'bootstrap-token'), 'utf8').trim()
  const pat = await issuePat(issuer, adminPat)
  const patmint = join(REPOSITORY, 'bin/patmint.js')
  const batch = { PATMINT_ISSUER: issuer, PATMINT_TOKEN: pat.token, PATMINT: patmint, ORDERS_URL: ordersUrl }
  say('The batch ships orders 1 and 2, each with a token for that order alone:')
  say(await run(join(REPOSITORY, 'examples/ship-orders.sh'), ['1', '2'], batch))

  const token = await run(patmint, ['token', '--audience', AUDIENCE, '--scope', 'orders/1:read'], batch)
  const other = await call(`${ordersUrl}/orders/2`, token)
  say(`A token for order 1 does not show order 2: ${other.status} ${await other.text()}`)

  const revoked = await call(`${issuer}/api/v1/organizations/acme/tokens/${pat.id}`, adminPat, 'DELETE')
  if (revoked.status !== 204) throw new Error(`not revoked: ${revoked.status} ${await revoked.text()}`)
  const revokedAt = performance.now()
  const answer = await waitForRefusal(`${ordersUrl}/orders/1`, token)
  const seconds = ((performance.now() - revokedAt) / 1000).toFixed(1)
  say(
    `The PAT is revoked; ${seconds} s later the service refuses its token: ${answer.status} ${await answer.text()}`,
  )
}

const dataDir = mkdtempSync(join(tmpdir(), 'patmint-example-'))
try {
  await runSteps(dataDir)
} finally {
  for (const child of started.reverse()) {
    if (child.exitCode !== null) continue
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  rmSync(dataDir, { recursive: true, force: true })
}
