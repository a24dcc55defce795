// `npm run bench`: what an exchange costs, against the floor of a bare server that only signs.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startClosedLoop } from './load/closed-loop.ts'
import type { Target } from './load/connection.ts'
import { composeExchange, repeatRequests } from './load/requests.ts'
import { Tally } from './load/tally.ts'
import { openDatabaseMeter } from './meter/database-meter.ts'
import { type Figures, type Meters, measure } from './meter/measure.ts'
import { type Column, renderTable } from './report/table.ts'
import { seedCredentials } from './seed/credentials.ts'
import { startFloor } from './stage/floor.ts'
import { openPostgres } from './stage/postgres.ts'
import { startServer } from './stage/server.ts'

const DURATION = { warmUpSeconds: 3, seconds: 10 }
const CONNECTIONS = 64
const PATS = 1000

const dir = mkdtempSync(join(tmpdir(), 'patmint-bench-'))
const say = (text: string): void => void process.stderr.write(`${text}\n`)

async function run(
  target: Target,
  next: () => Buffer | null,
  meters: Meters,
  tally: Tally,
): Promise<Figures> {
  return measure(await startClosedLoop({ target, connections: CONNECTIONS, next }), tally, meters, DURATION)
}

const postgres = await openPostgres(dir, process.env['BENCH_DATABASE_URL'])
say(JSON.stringify(postgres.settings))
const server = await startServer(dir, 'server', await postgres.createDatabase('small'))
const database = await openDatabaseMeter(server.databaseUrl)
const requests = (await seedCredentials(server, PATS)).map(composeExchange)
say('seeded')

const first = new Tally([200])
const warm = await run(server.target, repeatRequests(requests), { serverPid: server.pid, database }, first)
for (const example of first.unexpected) say(example)
const floorServer = await startFloor(dir, first.kept[0] ?? Buffer.alloc(0))
const meters = { serverPid: floorServer.pid, database: undefined }
const floor = await run(floorServer.target, repeatRequests(requests), meters, new Tally([200]))

const cpu = ({ serverCpuMs, postgresCpuMs }: Figures): number => serverCpuMs + postgresCpuMs
const COLUMNS: readonly Column<readonly [string, Figures]>[] = [
  { title: '', align: 'left', cell: ([name]) => name },
  { title: 'per s', align: 'right', cell: ([, f]) => f.perSecond.toFixed(0) },
  { title: '× floor', align: 'right', cell: ([, f]) => (f.perSecond / floor.perSecond).toFixed(2) },
  { title: 'p50 ms', align: 'right', cell: ([, f]) => f.p50Ms.toFixed(2) },
  { title: 'p99 ms', align: 'right', cell: ([, f]) => f.p99Ms.toFixed(2) },
  { title: 'CPU server', align: 'right', cell: ([, f]) => f.serverCpuMs.toFixed(4) },
  { title: 'Postgres', align: 'right', cell: ([, f]) => f.postgresCpuMs.toFixed(4) },
  { title: 'both', align: 'right', cell: ([, f]) => cpu(f).toFixed(4) },
  { title: '× floor', align: 'right', cell: ([, f]) => (cpu(f) / cpu(floor)).toFixed(2) },
  { title: 'load', align: 'right', cell: ([, f]) => f.loadCpuMs.toFixed(4) },
  { title: 'reads', align: 'right', cell: ([, f]) => f.reads.toFixed(3) },
  { title: 'writes', align: 'right', cell: ([, f]) => f.writes.toFixed(3) },
  { title: 'RSS MB', align: 'right', cell: ([, f]) => (f.serverRssBytes / 2 ** 20).toFixed(0) },
  { title: 'failed', align: 'right', cell: ([, f]) => String(f.failures) },
]
process.stdout.write(
  `${renderTable(COLUMNS, [
    ['floor', floor],
    ['warm exchange', warm],
  ])}\n`,
)

await floorServer.stop()
await database.close()
await server.stop()
await postgres.stop()
rmSync(dir, { recursive: true, force: true })
process.exitCode = first.failures > 0 ? 1 : 0
