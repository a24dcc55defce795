// `npm run bench:preview`: how long a preview of a policy takes on a million credentials, over HTTP, with rules on both
// levels: 1,000 organizations that each have a policy, and one of the platform; and how long the look takes for those that
// end within 30 days, of whom notices tell. Exit code 1 when a preview takes 2 seconds.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase } from '../../src/server/db/database.ts'
import { readEnding } from '../../src/server/notices/due-store.ts'
import { percentile } from './load/percentile.ts'
import { describeMachine } from './meter/machine.ts'
import { seedCrowd } from './seed/crowd.ts'
import { withClient } from './seed/with-client.ts'
import { openPostgres } from './stage/postgres.ts'
import { startServer } from './stage/server.ts'

const CREDENTIALS = Number(process.env['PREVIEW_CREDENTIALS'] ?? 1_000_000)
const TIMES = 7
const LIMIT_MS = 2000
const DAY = 86_400

const RULES = {
  max_lifetime_seconds: 390 * DAY,
  default_lifetime_seconds: 30 * DAY,
  idle_timeout_seconds: 300 * DAY,
  access_token_max_ttl_seconds: 600,
  max_active_tokens: 10,
  applies_to: 'all',
  exempt_roles: ['platform-admin'],
}
/** The credentials are of the last year, and their last use lies half-way between then and now. */
const PROPOSALS = {
  'stops nothing': { ...RULES, max_lifetime_seconds: 500 * DAY },
  'stops about half': { ...RULES, max_lifetime_seconds: 180 * DAY, idle_timeout_seconds: 100 * DAY },
  'stops all': { ...RULES, max_lifetime_seconds: 31 * DAY, idle_timeout_seconds: 600 },
}

const INSERT_POLICIES = `
  insert into expiry_policies (organization_id, max_lifetime_seconds, idle_timeout_seconds, max_active_tokens,
    applies_to, exempt_roles, applies_since)
  select id, ${380 * DAY}, ${250 * DAY}, 10, 'all', '{admin}', now() from organizations where slug like 'crowd-%'`

const say = (text: string): void => void process.stdout.write(`${text}\n`)

const stack = new AsyncDisposableStack()
const dir = mkdtempSync(join(tmpdir(), 'patmint-preview-'))
stack.defer(() => rmSync(dir, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void stack.disposeAsync().finally(() => process.exit(1)))

try {
  const { call, databaseUrl } = await openServer()
  await call('PUT', '/policy', RULES)
  say(JSON.stringify(describeMachine()))
  say(`${CREDENTIALS} credentials; median and slowest of ${TIMES} previews, in ms`)
  for (const [name, policy] of Object.entries(PROPOSALS)) {
    const { median, slowest, body } = await measure(() => call('POST', '/policy/preview?limit=200', policy))
    const { stops_now, stops_within_30_days } = JSON.parse(body) as Record<string, number>
    say(`${name} (${stops_now} now, ${stops_within_30_days} within 30 days): ${median} ${slowest}`)
    if (median >= LIMIT_MS) process.exitCode = 1
  }
  const look = await measure(() => countEnding(databaseUrl))
  say(`the look for notices (${look.body} end within 30 days): ${look.median} ${look.slowest}`)
} finally {
  await stack.disposeAsync()
}

type Call = (method: string, path: string, body: object) => Promise<string>

/** A server on a full database; calls are its platform admin's. */
async function openServer(): Promise<{ call: Call; databaseUrl: string }> {
  const postgres = await openPostgres(dir, process.env['BENCH_DATABASE_URL'])
  stack.defer(() => postgres.stop())
  const databaseUrl = await postgres.createDatabase('preview')
  const server = await startServer({ dir: join(dir, 'server'), databaseUrl, settings: {} })
  stack.defer(() => server.stop())
  await seedCrowd(databaseUrl, CREDENTIALS)
  await withClient(databaseUrl, async (client) => {
    await client.query(INSERT_POLICIES)
    await client.query('vacuum (analyze) expiry_policies')
  })
  await postgres.checkpoint()
  const token = readFileSync(join(dir, 'server', 'data', 'bootstrap-token'), 'utf8').trim()
  const call: Call = async (method, path, body) => {
    const response = await fetch(`${server.url}/api/v1${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${text}`)
    return text
  }
  return { call, databaseUrl }
}

async function countEnding(url: string): Promise<string> {
  await using db = openDatabase({ url, maxConnections: 1 })
  const now = new Date()
  const until = new Date(now.getTime() + 30 * DAY * 1000)
  let count = 0
  await db.transaction().execute(async (transaction) => {
    for await (const page of readEnding(transaction, { now, until })) count += page.length
  })
  return String(count)
}

async function measure(task: () => Promise<string>) {
  const times: number[] = []
  let body = ''
  for (let round = 0; round < TIMES; round += 1) {
    const startedMs = performance.now()
    body = await task()
    times.push(performance.now() - startedMs)
  }
  const sorted = times.toSorted((one, other) => one - other)
  return { median: Math.round(percentile(sorted, 50)), slowest: Math.round(percentile(sorted, 100)), body }
}
